#include "models/model/describe.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/convert_tensor.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(DescribeTest, DescribesTheShippedModel) {
  const auto checkpoint = ReadCheckpoint("models/eng-deu");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_THAT(Describe(*checkpoint), testing::StartsWith(R"(format               Limpid folder
languages            "eng" to "deu"
parameters           8,901,697
size                 17.9 MB: float16 17.7 MB, float32 150.8 kB

width                256
encoder              6 layers, 4 heads, feed-forward 1024 wide
decoder              2 layers, 4 heads, feed-forward 1024 wide
activation           ReLU
layer norm           after each sublayer (post-norm), epsilon 1e-05
positions            sinusoidal, from 0, up to 512 tokens
longest source       48 tokens in one part
embeddings           one table for source and target, also the output's weights, times 16
alignment            decoder layer 1, cross-attention, head 0; input row: layer 0, head 1

vocabulary           8,001 pieces, the same for both sides
SentencePiece        one model for both sides
shortlist            of 1.2 MB: a sentence alone is drafted from it
end of sentence      "</s>" (id 0)
unknown piece        "<unk>" (id 1)
decoder starts with  "<pad>" (id 8000)
never produced       "<unk>" (id 1), "<pad>" (id 8000)

tensor                                          shape        dtype          size
decoder.layers.0.cross_attention.key.bias       [256]        float32     1,024 B
decoder.layers.0.cross_attention.key.weight     [256, 256]   float16    131.1 kB
)"));
}

TEST(DescribeTest, DescribesUnusualModels) {
  auto checkpoint = SmallMarianFolder().Read();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  ModelConfig& config = checkpoint->config;
  config.source_language = "\x1b[31m";
  config.target_language = "";
  config.decoder_heads = 1;
  config.activation = Activation::kGeluTanh;
  config.norm_order = NormOrder::kPre;
  config.embedding_norm = config.final_norm = true;
  config.positions = Positions::kSinusoidalMarian;
  config.first_position = 1;
  config.shared_embeddings = config.tied_output = false;
  config.alignment_layer = 0;
  config.alignment_heads = 0;
  config.source_eos_id = -1;
  config.target_eos_id = 2;
  config.decoder_start_id = -1;
  config.bad_words = {};
  checkpoint->target_vocabulary[3] = "\n";
  const std::string text = Describe(*checkpoint);
  EXPECT_THAT(text, HasSubstr("languages            \"\\033[31m\" to not stated\n"));
  EXPECT_THAT(text, HasSubstr("decoder              1 layer, 1 head, feed-forward 6 wide\n"));
  EXPECT_THAT(text, HasSubstr("activation           GELU (tanh approximation)\n"));
  EXPECT_THAT(text,
              HasSubstr("before each sublayer (pre-norm), after the embedding, after the last "
                        "layer, epsilon"));
  EXPECT_THAT(text, HasSubstr("sinusoidal in Marian's way, from 1, up to 8 tokens\n"));
  EXPECT_THAT(text, HasSubstr("a table for each side, output has weights of its own, times 2\n"));
  EXPECT_THAT(text, HasSubstr("decoder layer 0, cross-attention, all heads\n"));
  EXPECT_THAT(text, HasSubstr("5 source pieces, 5 target pieces\n"));
  EXPECT_THAT(text, HasSubstr("SentencePiece        a model for each side\n"));
  EXPECT_THAT(text, HasSubstr("source none, target \"▁a\" (id 2)\n"));
  EXPECT_THAT(text, HasSubstr("decoder starts with  an embedding of zeros\n"));
  EXPECT_THAT(text, HasSubstr("never produced       -\n"));
}

TEST(DescribeTest, MentionsTheShortlist) {
  Checkpoint checkpoint = *ReadCheckpoint("tests/golden/base");
  EXPECT_THAT(Describe(checkpoint), Not(HasSubstr("shortlist")));
  checkpoint.shortlist = std::string(799, 'x');
  EXPECT_THAT(Describe(checkpoint), HasSubstr("\nshortlist            of 799 B: a sentence alone"));
}

TEST(DescribeTest, NamesTheTokenizerInsteadOfSentencePiece) {
  const std::string text = Describe(*ReadCheckpoint("tests/golden/argos"));
  EXPECT_THAT(text, HasSubstr("\nsubword-nmt          merges of 799 B, after Moses' tokenizer\n"));
  EXPECT_THAT(text, Not(HasSubstr("SentencePiece")));
}

TEST(DescribeTest, CountsInt8WithItsScales) {
  auto checkpoint = SmallMarianFolder().Read();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  TensorView& embedding = checkpoint->tensors.at("embedding.weight");
  ASSERT_EQ(Message(ConvertTensor(DType::kInt8, embedding, checkpoint->storage)), "");
  // 5 rows of 4 bytes and a float each.
  EXPECT_THAT(Describe(*checkpoint), HasSubstr("[5, 4]  int8           40 B\n"));
  EXPECT_THAT(Describe(*checkpoint), HasSubstr("float32 2,220 B, int8 40 B\n"));
}

}  // namespace
}  // namespace limpid::internal

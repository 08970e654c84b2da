// Models written as Hugging Face folders. tests/golden/check_export.py loads one in transformers.

#include <algorithm>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;

class WriteHuggingFaceTest : public testing::TestWithParam<const char*> {};

TEST_P(WriteHuggingFaceTest, RoundTripsBitForBit) {
  const auto original = ReadCheckpoint(GetParam());
  ASSERT_TRUE(original.ok()) << original.status();
  const DType dtype = original->tensors.at("encoder.layers.0.feed_forward.hidden.weight").dtype;
  const std::string folder = FreshPath("written");
  ASSERT_EQ(Message(WriteHuggingFace(*original, folder, dtype)), "");
  const auto again = ReadCheckpoint(folder);
  ASSERT_TRUE(again.ok()) << again.status();
  EXPECT_EQ(again->format, "Hugging Face MarianMT");
  ModelConfig config = original->config;
  config.tokenizer.reset();  // only Limpid folders state it
  EXPECT_EQ(again->config, config);
  EXPECT_EQ(again->source_vocabulary, original->source_vocabulary);
  EXPECT_EQ(again->target_vocabulary, original->target_vocabulary);
  EXPECT_EQ(again->source_sentencepiece, original->source_sentencepiece);
  EXPECT_EQ(again->target_sentencepiece, original->target_sentencepiece);
  ASSERT_EQ(again->tensors.size(), original->tensors.size());
  for (const auto& [name, tensor] : original->tensors) {
    ASSERT_EQ(again->tensors.count(name), 1) << name;
    const TensorView& found = again->tensors.at(name);
    EXPECT_EQ(found.dtype, tensor.dtype) << name;
    EXPECT_EQ(found.shape, tensor.shape) << name;
    EXPECT_TRUE(std::equal(tensor.data, tensor.data + tensor.bytes(), found.data)) << name;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, WriteHuggingFaceTest,
    testing::Values("models/eng-deu", "tests/golden/base", "tests/golden/gelu",
                    "tests/golden/float16", "tests/golden/bfloat16", "tests/golden/bad_words",
                    "tests/golden/separate_vocabularies", "tests/golden/untied_output",
                    "tests/golden/unscaled_embedding", "tests/golden/pytorch_zip",
                    "tests/golden/pytorch_float16"));

TEST(WriteHuggingFaceTest, NamesWhatMarianCannotExpress) {
  const auto error = [](const std::string& model, DType dtype = DType::kFloat32) {
    const std::string folder = FreshPath("written");
    return Message(WriteHuggingFace(*ReadCheckpoint(model), folder, dtype));
  };
  EXPECT_THAT(error("tests/golden/pre_norm"),
              HasSubstr("has norms before each sublayer (pre-norm), which Hugging Face's"));
  EXPECT_THAT(error("tests/golden/embedding_norm"), HasSubstr("a norm after the embedding"));
  EXPECT_THAT(error("tests/golden/post_norm_with_final_norm"),
              HasSubstr("a norm after the last layer"));
  EXPECT_THAT(error("tests/golden/argos"), HasSubstr("has subword-nmt and Moses' tokenizer"));
  EXPECT_THAT(error("tests/golden/base", DType::kInt8), HasSubstr("no int8 weights"));
}

}  // namespace
}  // namespace limpid::internal

#include "models/formats/tensor_names.h"

#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;

const std::vector<float> kNumbers(64, 1.0F);

TensorView Tensor(std::vector<int64_t> shape, const std::vector<float>& numbers = kNumbers) {
  return {.shape = std::move(shape), .data = reinterpret_cast<const std::byte*>(numbers.data())};
}

ModelConfig OneLayer() {
  ModelConfig config;
  config.model_dim = 2;
  config.encoder_layers = config.decoder_layers = 1;
  config.encoder_ffn_dim = config.decoder_ffn_dim = 2;
  config.source_vocab_size = config.target_vocab_size = 3;
  config.shared_embeddings = config.tied_output = true;
  return config;
}

// The tables name only some of the config's tensors; RenameTensors does not look for the others.
absl::StatusOr<TensorMap> Rename(absl::Span<const TensorName> table, TensorMap theirs) {
  static auto* const storage = new std::vector<std::shared_ptr<const void>>;
  return RenameTensors({.table = table, .model = "a test", .first_layer = 1}, OneLayer(),
                       std::move(theirs), *storage);
}

TEST(TensorNamesTest, SplitsRowsAndFillsMissingBiases) {
  constexpr TensorName kTable[] = {
      {"eN.qkv.*", "encoder.layers.N.self_attention.{query,key,value}.*", How::kOrZeros}};
  const std::vector<float> numbers = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
  const auto ours = Rename(kTable, {{"e1.qkv.weight", Tensor({6, 2}, numbers)}});
  ASSERT_TRUE(ours.ok()) << ours.status();
  EXPECT_EQ(ours->size(), 6U);
  EXPECT_THAT(ReadAll(ours->at("encoder.layers.0.self_attention.key.weight")),
              ElementsAre(4, 5, 6, 7));
  EXPECT_THAT(ReadAll(ours->at("encoder.layers.0.self_attention.key.bias")), ElementsAre(0, 0));
  EXPECT_EQ(Message(Rename(kTable, {{"e1.qkv.weight", Tensor({5, 2})}})),
            "tensor \"e1.qkv.weight\" has shape [5, 2]; expected 6 rows");
}

TEST(TensorNamesTest, TransposesMatricesAndFlattensVectors) {
  constexpr TensorName kTable[] = {
      {"SIDE_lN_*", "SIDE.layers.N.feed_forward.hidden.*", How::kTransposed}};
  const std::vector<float> numbers = {0, 1, 2, 3, 4, 5};
  const auto ours = Rename(kTable, {{"encoder_l1_weight", Tensor({3, 2}, numbers)},
                                    {"encoder_l1_bias", Tensor({1, 2})},
                                    {"decoder_l1_weight", Tensor({2, 2})},
                                    {"decoder_l1_bias", Tensor({2})}});
  ASSERT_TRUE(ours.ok()) << ours.status();
  const TensorView& weight = ours->at("encoder.layers.0.feed_forward.hidden.weight");
  EXPECT_THAT(weight.shape, ElementsAre(2, 3));
  EXPECT_THAT(ReadAll(weight), ElementsAre(0, 2, 4, 1, 3, 5));
  EXPECT_THAT(ours->at("encoder.layers.0.feed_forward.hidden.bias").shape, ElementsAre(2));
}

TEST(TensorNamesTest, TiedTensorsMustBeEqual) {
  constexpr TensorName kTable[] = {{"head", "output.weight"},  // the config does not ask for it
                                   {"shared", "embedding.weight"},
                                   {"head", "embedding.weight"}};
  EXPECT_EQ(Message(Rename(kTable, {{"head", Tensor({3, 2})}})), "");
  EXPECT_EQ(Message(Rename(kTable, {{"head", Tensor({3, 2})}, {"shared", Tensor({3, 2})}})), "");
  const std::vector<float> others(6, 2.0F);
  EXPECT_EQ(
      Message(Rename(kTable, {{"head", Tensor({3, 2})}, {"shared", Tensor({3, 2}, others)}})),
      "tensors \"shared\" and \"head\" differ, though the config says that they are one tensor");
  EXPECT_EQ(Message(Rename(kTable, {})), "tensor \"shared\" is missing");
}

TEST(TensorNamesTest, RejectsTensorsThatTheTableDoesNotName) {
  constexpr TensorName kTable[] = {{"mask", "", How::kSkip}};
  EXPECT_EQ(Message(Rename(kTable, {{"mask", Tensor({1})}})), "");
  EXPECT_EQ(Message(Rename(kTable, {{"mask", Tensor({1})}, {"other", Tensor({1})}})),
            "tensor \"other\" is not part of a test");
}

TEST(TensorNamesTest, MapsOurNamesToTheirs) {
  constexpr TensorName kTable[] = {{"e", "embedding.weight"},
                                   {"lm_head", "embedding.weight"},
                                   {"SIDE.N.norm.*", "SIDE.layers.N.feed_forward_norm.*"}};
  const auto names = TheirNames({.table = kTable, .model = "a test"}, OneLayer());
  EXPECT_EQ(names.size(), 5U);
  EXPECT_EQ(names.at("embedding.weight"), "e");
  EXPECT_EQ(names.at("decoder.layers.0.feed_forward_norm.scale"), "decoder.0.norm.weight");
}

}  // namespace
}  // namespace limpid::internal

#include "models/model/weights.h"

#include <map>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;

// A model with separate embeddings and all optional tensors, except those of an SSRU. Sizes differ,
// and each tensor has a value of its own.
class WeightsTest : public testing::Test {
 protected:
  WeightsTest() {
    config_.model_dim = 4;
    config_.encoder_layers = 1;
    config_.decoder_layers = 2;
    config_.encoder_heads = 2;
    config_.decoder_heads = 2;
    config_.encoder_ffn_dim = 5;
    config_.decoder_ffn_dim = 6;
    config_.source_vocab_size = 7;
    config_.target_vocab_size = 8;
    config_.shared_embeddings = false;
    config_.tied_output = false;
    config_.embedding_norm = true;
    config_.final_norm = true;
    config_.positions = Positions::kLearned;
    config_.max_positions = 9;
    Add("encoder.embedding.weight", {7, 4});
    Add("decoder.embedding.weight", {8, 4});
    Add("output.weight", {8, 4});
    Add("output.bias", {8});
    for (const std::string stack : {"encoder", "decoder"}) {
      Add(stack + ".positions.weight", {9, 4});
      AddNorm(stack + ".embedding_norm");
      AddNorm(stack + ".final_norm");
    }
    AddLayer("encoder.layers.0", 5);
    for (const std::string layer : {"decoder.layers.0", "decoder.layers.1"}) {
      AddLayer(layer, 6);
      AddAttention(layer + ".cross_attention");
    }
  }

  void Add(const std::string& name, std::vector<int64_t> shape) {
    int64_t elements = 1;
    for (int64_t dimension : shape) elements *= dimension;
    tensors_.Set(name, std::move(shape),
                 std::vector<float>(elements, static_cast<float>(tensors_.views.size())));
  }
  void AddNorm(const std::string& name) {
    Add(name + ".scale", {4});
    Add(name + ".bias", {4});
  }
  void AddAttention(const std::string& name) {
    for (const char* part : {".query", ".key", ".value", ".output"}) {
      Add(name + part + ".weight", {4, 4});
      Add(name + part + ".bias", {4});
    }
    AddNorm(name + "_norm");
  }
  void AddLayer(const std::string& name, int ffn_dim) {
    AddAttention(name + ".self_attention");
    Add(name + ".feed_forward.hidden.weight", {ffn_dim, 4});
    Add(name + ".feed_forward.hidden.bias", {ffn_dim});
    Add(name + ".feed_forward.output.weight", {4, ffn_dim});
    Add(name + ".feed_forward.output.bias", {4});
    AddNorm(name + ".feed_forward_norm");
  }

  void ExpectBound(const TensorView& view, const std::string& name) {
    EXPECT_EQ(view.data, tensors_.views.at(name).data) << name;
  }

  std::string Error() { return Message(BindWeights(config_, tensors_.views)); }

  ModelConfig config_;
  OwnedTensors tensors_;
};

TEST_F(WeightsTest, EachTensorGoesToItsRole) {
  const auto bound = BindWeights(config_, tensors_.views);
  ASSERT_TRUE(bound.ok()) << bound.status();
  ASSERT_EQ(bound->encoder_layers.size(), 1);
  ASSERT_EQ(bound->decoder_layers.size(), 2);
  ExpectBound(bound->encoder_stack.embedding, "encoder.embedding.weight");
  ExpectBound(bound->decoder_stack.embedding, "decoder.embedding.weight");
  ExpectBound(bound->encoder_stack.positions, "encoder.positions.weight");
  ExpectBound(bound->decoder_stack.embedding_norm.scale, "decoder.embedding_norm.scale");
  ExpectBound(bound->encoder_stack.final_norm.bias, "encoder.final_norm.bias");
  ExpectBound(bound->output.weight, "output.weight");
  ExpectBound(bound->output.bias, "output.bias");
  const EncoderLayerWeights& encoder = bound->encoder_layers[0];
  ExpectBound(encoder.self_attention.query.weight, "encoder.layers.0.self_attention.query.weight");
  ExpectBound(encoder.self_attention.key.bias, "encoder.layers.0.self_attention.key.bias");
  ExpectBound(encoder.self_attention_norm.scale, "encoder.layers.0.self_attention_norm.scale");
  ExpectBound(encoder.feed_forward.hidden.weight, "encoder.layers.0.feed_forward.hidden.weight");
  const DecoderLayerWeights& decoder = bound->decoder_layers[1];
  ExpectBound(decoder.self_attention.value.weight, "decoder.layers.1.self_attention.value.weight");
  ExpectBound(decoder.cross_attention.value.weight,
              "decoder.layers.1.cross_attention.value.weight");
  ExpectBound(decoder.cross_attention.output.weight,
              "decoder.layers.1.cross_attention.output.weight");
  ExpectBound(decoder.cross_attention_norm.bias, "decoder.layers.1.cross_attention_norm.bias");
  ExpectBound(decoder.feed_forward.output.bias, "decoder.layers.1.feed_forward.output.bias");
  ExpectBound(decoder.feed_forward_norm.scale, "decoder.layers.1.feed_forward_norm.scale");
}

TEST_F(WeightsTest, SharedAndTiedWeightsAreOneTensor) {
  config_.shared_embeddings = config_.tied_output = true;
  config_.source_vocab_size = 8;
  for (const char* name :
       {"encoder.embedding.weight", "decoder.embedding.weight", "output.weight"}) {
    tensors_.views.erase(name);
  }
  Add("embedding.weight", {8, 4});
  const auto bound = BindWeights(config_, tensors_.views);
  ASSERT_TRUE(bound.ok()) << bound.status();
  ExpectBound(bound->encoder_stack.embedding, "embedding.weight");
  ExpectBound(bound->decoder_stack.embedding, "embedding.weight");
  ExpectBound(bound->output.weight, "embedding.weight");
}

TEST_F(WeightsTest, TiedOutputOfSeparateEmbeddingsIsTheDecodersEmbedding) {
  config_.tied_output = true;
  tensors_.views.erase("output.weight");
  const auto bound = BindWeights(config_, tensors_.views);
  ASSERT_TRUE(bound.ok()) << bound.status();
  ExpectBound(bound->output.weight, "decoder.embedding.weight");
}

TEST_F(WeightsTest, TensorsThatTheConfigDoesNotHaveAreEmptyViews) {
  config_.embedding_norm = config_.final_norm = false;
  config_.positions = Positions::kSinusoidal;
  std::erase_if(tensors_.views, [](const auto& entry) {
    return entry.first.find("embedding_norm") != std::string::npos ||
           entry.first.find("final_norm") != std::string::npos ||
           entry.first.find("positions") != std::string::npos;
  });
  const auto bound = BindWeights(config_, tensors_.views);
  ASSERT_TRUE(bound.ok()) << bound.status();
  EXPECT_EQ(bound->encoder_stack.positions.data, nullptr);
  EXPECT_EQ(bound->encoder_stack.embedding_norm.scale.data, nullptr);
  EXPECT_EQ(bound->decoder_stack.final_norm.bias.data, nullptr);
}

TEST_F(WeightsTest, EveryTensorIsRequired) {
  const TensorMap all = tensors_.views;
  for (const auto& [name, tensor] : all) {
    tensors_.views = all;
    tensors_.views.erase(name);
    EXPECT_THAT(Error(), HasSubstr("tensor \"" + name + "\" of shape " + ShapeName(tensor.shape) +
                                   " is missing"));
  }
}

TEST_F(WeightsTest, EveryShapeIsChecked) {
  const TensorMap all = tensors_.views;
  for (const auto& [name, tensor] : all) {
    tensors_.views = all;
    tensors_.views[name].shape.back() += 1;
    EXPECT_THAT(Error(), HasSubstr("tensor \"" + name + "\" has shape " +
                                   ShapeName(tensors_.views[name].shape) +
                                   "; the config asks for " + ShapeName(tensor.shape)));
    tensors_.views[name].shape = {tensor.elements(), 1, 1};
    EXPECT_THAT(Error(), HasSubstr("tensor \"" + name + "\" has shape"));
  }
}

TEST_F(WeightsTest, VectorsAreFloat32AndMatricesOfAnyDType) {
  tensors_.views["output.weight"].dtype = DType::kFloat16;
  EXPECT_EQ(Error(), "");
  tensors_.views["output.bias"].dtype = DType::kFloat16;
  EXPECT_THAT(Error(), HasSubstr("tensor \"output.bias\" has dtype float16; expected float32"));
}

TEST_F(WeightsTest, LeftoverTensorsAreRejected) {
  Add("decoder.layers.2.feed_forward.hidden.bias", {6});
  EXPECT_THAT(Error(), HasSubstr("tensor \"decoder.layers.2.feed_forward.hidden.bias\" is not "
                                 "part of a model with this config"));
  Add("zzz", {1});
  EXPECT_THAT(Error(), HasSubstr("like 1 more"));
}

// A config may claim any number of layers; binding stops at the first that is missing.
TEST_F(WeightsTest, ManyLayersClaimedCostNothing) {
  config_.encoder_layers = 1 << 30;
  EXPECT_THAT(Error(), HasSubstr("\"encoder.layers.1.self_attention.query.weight\""));
}

TEST_F(WeightsTest, TensorShapesAreThoseOfACompleteModel) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const auto& [name, tensor] : tensors_.views) shapes[name] = tensor.shape;
  EXPECT_EQ(TensorShapes(config_), shapes);
}

}  // namespace
}  // namespace limpid::internal

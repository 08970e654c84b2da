// The state of an nn.Transformer and the JSON beside it. PyTorch wrote tests/golden/nn_transformer.

#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/formats/torch_file.h"
#include "models/model/checkpoint.h"
#include "models/model/convert_tensor.h"
#include "models/model/describe.h"
#include "models/model/weights.h"
#include "models/native/safetensors.h"
#include "nlohmann/json.hpp"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

// A copy of the golden model, for each test to change.
class NnTransformerTest : public testing::Test {
 protected:
  NnTransformerTest() : folder_(FreshPath("toy")), path_(folder_ + "/model.pt") {
    fs::create_directory(folder_);
    for (const std::string name : {"model.pt", "model.json"}) {
      fs::copy_file("tests/golden/nn_transformer/" + name, folder_ + "/" + name);
    }
    description_ = json::parse(ReadText(folder_ + "/model.json"));
  }

  absl::StatusOr<Checkpoint> Read() const {
    WriteText(folder_ + "/model.json", description_.dump());
    return ReadCheckpoint(path_);
  }
  std::string ErrorWith(const char* key, const json& value) {
    json changed = description_;
    std::swap(changed, description_);
    description_[key] = value;
    const std::string message = Message(Read());
    std::swap(changed, description_);
    return message;
  }

  const std::string folder_;
  std::string path_;
  json description_;
};

TEST_F(NnTransformerTest, TheConfigComesFromTensorsAndJson) {
  const auto checkpoint = Read();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->format, "PyTorch nn.Transformer");
  const ModelConfig& config = checkpoint->config;
  EXPECT_EQ(config.model_dim, 16);
  EXPECT_EQ(config.encoder_layers, 2);
  EXPECT_EQ(config.decoder_layers, 2);
  EXPECT_EQ(config.encoder_heads, 4);
  EXPECT_EQ(config.encoder_ffn_dim, 24);
  EXPECT_EQ(config.embedding_scale, 4);
  EXPECT_TRUE(config.final_norm);
  EXPECT_FALSE(config.shared_embeddings);
  EXPECT_FALSE(config.tied_output);
  EXPECT_EQ(config.positions, Positions::kLearned);
  EXPECT_EQ(config.max_positions, 64);
  EXPECT_EQ(config.decoder_start_id, 2);
  EXPECT_EQ(config.target_eos_id, 3);
  EXPECT_THAT(config.bad_words, ElementsAre(1, 2));
}

TEST_F(NnTransformerTest, SourcesMayBeginWithBos) {
  EXPECT_EQ(Read()->config.source_bos_id, -1);
  description_["source_bos"] = true;
  EXPECT_EQ(Read()->config.source_bos_id, 2);
  description_["source_vocabulary"][2] = "other";
  EXPECT_THAT(Message(Read()), HasSubstr("the vocabulary has no \"<bos>\""));
}

// The table that the reader computes equals the one that PyTorch stored.
TEST_F(NnTransformerTest, InterleavedPositionsNeedNotBeStored) {
  const auto stored = Read();
  ASSERT_TRUE(stored.ok()) << stored.status();
  auto state = ReadTorchFile(path_);
  state->tensors.erase("positional_encoding.pos_embedding");
  path_ = folder_ + "/model.safetensors";
  ASSERT_EQ(Message(WriteSafetensors(path_, state->tensors, {})), "");
  description_["max_positions"] = 64;
  const auto computed = Read();
  ASSERT_TRUE(computed.ok()) << computed.status();
  for (const char* name : {"encoder.positions.weight", "decoder.positions.weight"}) {
    EXPECT_THAT(ReadAll(computed->tensors.at(name)),
                testing::Pointwise(testing::FloatNear(1e-5F), ReadAll(stored->tensors.at(name))));
  }
  description_["positions"] = "learned";
  EXPECT_THAT(Message(Read()), HasSubstr("found no table of learned positions"));
  description_["positions"] = "halves";
  EXPECT_EQ(Read()->config.positions, Positions::kSinusoidal);
}

// PyTorch stores query, key and value as one matrix; each part takes its own rows and their scales.
TEST_F(NnTransformerTest, PartsOfAnInt8MatrixKeepTheirScales) {
  auto state = ReadTorchFile(path_);
  ASSERT_TRUE(state.ok()) << state.status();
  for (auto& [name, tensor] : state->tensors) {
    if (!name.ends_with("in_proj_weight")) continue;
    auto values = std::make_shared<std::vector<float>>(ReadAll(tensor));
    for (size_t i = 0; i < values->size(); ++i) {
      (*values)[i] *= i < values->size() / 3 ? 1 : i < values->size() * 2 / 3 ? 3 : 0.2F;
    }
    tensor = {.shape = tensor.shape, .data = reinterpret_cast<const std::byte*>(values->data())};
    state->storage.push_back(values);
  }
  path_ = folder_ + "/model.safetensors";
  ASSERT_EQ(Message(WriteSafetensors(path_, state->tensors, {})), "");
  const auto expected = Read();
  for (auto& [name, tensor] : state->tensors) {
    if (!name.ends_with("in_proj_weight")) continue;
    ASSERT_EQ(Message(ConvertTensor(DType::kInt8, tensor, state->storage)), "");
  }
  ASSERT_EQ(Message(WriteSafetensors(path_, state->tensors, {})), "");
  const auto found = Read();
  ASSERT_TRUE(found.ok()) << found.status();
  for (const char* part : {"query", "key", "value"}) {
    const std::string name = std::string("encoder.layers.0.self_attention.") + part + ".weight";
    EXPECT_EQ(found->tensors.at(name).dtype, DType::kInt8);
    EXPECT_THAT(ReadAll(found->tensors.at(name)),
                testing::Pointwise(testing::FloatNear(0.02F), ReadAll(expected->tensors.at(name))))
        << name;
  }
}

// The same bytes with other scales are other values.
TEST_F(NnTransformerTest, Int8EmbeddingsAreTiedOnlyIfTheirScalesAreTheSame) {
  description_["target_vocabulary"] = description_["source_vocabulary"];
  auto state = ReadTorchFile(path_);
  ASSERT_TRUE(state.ok()) << state.status();
  TensorView source = state->tensors.at("src_tok_emb.embedding.weight");
  ASSERT_EQ(Message(ConvertTensor(DType::kInt8, source, state->storage)), "");
  std::vector<float> scales(source.scales, source.scales + source.rows());
  for (float& scale : scales) scale *= 2;
  TensorView target = source;
  target.scales = scales.data();
  std::vector<float> bias(source.rows());
  const auto shared_with = [&](const TensorView& other) {
    state->tensors["src_tok_emb.embedding.weight"] = source;
    state->tensors["tgt_tok_emb.embedding.weight"] = other;
    state->tensors["generator.weight"] = other;
    state->tensors["generator.bias"] = {.shape = {source.rows()},
                                        .data = reinterpret_cast<const std::byte*>(bias.data())};
    path_ = folder_ + "/model.safetensors";
    EXPECT_EQ(Message(WriteSafetensors(path_, state->tensors, {})), "");
    const auto found = Read();
    EXPECT_TRUE(found.ok()) << found.status();
    return found.ok() && found->config.shared_embeddings;
  };
  EXPECT_TRUE(shared_with(source));
  EXPECT_FALSE(shared_with(target));
}

// Of shape [1, positions, model_dim], it has one scale instead of one per position.
TEST_F(NnTransformerTest, AnInt8TableOfPositionsNeedsAScaleForEach) {
  auto state = ReadTorchFile(path_);
  ASSERT_TRUE(state.ok()) << state.status();
  TensorView& table = state->tensors.at("positional_encoding.pos_embedding");
  table.shape = {1, table.elements() / 16, 16};
  ASSERT_EQ(Message(ConvertTensor(DType::kInt8, table, state->storage)), "");
  path_ = folder_ + "/model.safetensors";
  ASSERT_EQ(Message(WriteSafetensors(path_, state->tensors, {})), "");
  EXPECT_THAT(Message(Read()), HasSubstr("is int8 and has 1 scales; expected one for each"));
}

TEST_F(NnTransformerTest, VocabulariesMayBeFilesOfOnePiecePerLine) {
  const auto expected = Read();
  ASSERT_TRUE(expected.ok()) << expected.status();
  fs::create_directory(folder_ + "/words");
  for (const auto& [line_end, last] : {std::pair{"\n", "\n"}, {"\r\n", "\r\n"}, {"\n", ""}}) {
    for (const std::string side : {"source", "target"}) {
      const auto& pieces =
          side == "source" ? expected->source_vocabulary : expected->target_vocabulary;
      WriteText(folder_ + "/words/" + side + ".txt", absl::StrJoin(pieces, line_end) + last);
      description_[side + "_vocabulary"] = "words/" + side + ".txt";
    }
    const auto found = Read();
    ASSERT_TRUE(found.ok()) << found.status();
    EXPECT_EQ(found->source_vocabulary, expected->source_vocabulary);
    EXPECT_EQ(found->target_vocabulary, expected->target_vocabulary);
  }
  EXPECT_THAT(ErrorWith("source_vocabulary", "words/gone.txt"),
              HasSubstr("words/gone.txt: cannot open: No such file"));
  EXPECT_THAT(ErrorWith("source_vocabulary", "words"), HasSubstr("expected a file, found a"));
}

// `convert` would copy their contents into its output.
TEST_F(NnTransformerTest, AModelReadsNoFileOutsideItsFolder) {
  WriteText(folder_ + "/pieces", "<unk>\n");
  for (const std::string& name :
       {fs::absolute(folder_ + "/pieces").string(),
        std::string("../") + fs::path(folder_).filename().string() + "/pieces",
        std::string("a/../pieces"), std::string("..")}) {
    EXPECT_THAT(ErrorWith("source_vocabulary", name),
                HasSubstr("model.json: expected a vocabulary beside this file, found \"" + name));
  }
}

TEST_F(NnTransformerTest, RejectsInvalidJsonValues) {
  EXPECT_THAT(ErrorWith("heads", "4"), HasSubstr("\"heads\": expected a whole number, found"));
  EXPECT_THAT(ErrorWith("heads", 3), HasSubstr("3 heads do not divide"));
  EXPECT_THAT(ErrorWith("norm_first", 1), HasSubstr("\"norm_first\": expected true or false"));
  EXPECT_THAT(ErrorWith("layer_norm_epsilon", "small"), HasSubstr("expected a number, found"));
  EXPECT_THAT(ErrorWith("unk", 3), HasSubstr("\"unk\": expected a string, found 3"));
  EXPECT_THAT(ErrorWith("source_vocabulary", 3), HasSubstr("expected an array of pieces or the"));
  EXPECT_THAT(ErrorWith("source_vocabulary", {"<unk>", 3}),
              HasSubstr("model.json: expected pieces, found 3"));
  EXPECT_THAT(ErrorWith("tensors", {{"output", 3}}), HasSubstr("expected an object of names"));
  EXPECT_THAT(ErrorWith("positions", "rotary"), HasSubstr("\"positions\": expected"));
  EXPECT_THAT(ErrorWith("activation", "silu"), HasSubstr("\"activation\": expected"));
  EXPECT_THAT(ErrorWith("bos", "<s>"), HasSubstr("the vocabulary has no \"<s>\""));
  EXPECT_THAT(ErrorWith("hats", 1), HasSubstr("the key \"hats\" is unknown"));
  EXPECT_THAT(ErrorWith("max_positions", 1000),
              HasSubstr("a row of 16 for each of 1000 positions"));
  EXPECT_THAT(ErrorWith("max_positions", -1), HasSubstr("max_positions"));
  EXPECT_THAT(ErrorWith("source_vocabulary", {"<unk>", "<eos>"}), HasSubstr("has shape"));
  EXPECT_THAT(ErrorWith("tensors", {{"output", "head.weight"}}),
              HasSubstr("found no tensor \"head.weight\" for the \"output\""));
  fs::remove(folder_ + "/model.json");
  EXPECT_THAT(Message(ReadCheckpoint(path_)), HasSubstr("model.json: does not exist"));
}

TEST_F(NnTransformerTest, RejectsTruncatedFiles) {
  auto state = ReadTorchFile(path_);
  const std::string safetensors = folder_ + "/model.safetensors";
  ASSERT_EQ(Message(WriteSafetensors(safetensors, state->tensors, {})), "");
  for (const std::string& path : {path_, safetensors, folder_ + "/model.json"}) {
    const std::string model = path.ends_with("json") ? path_ : path;
    const std::string whole = ReadText(path);
    const size_t newline = whole.ends_with('\n') ? 1 : 0;
    for (size_t size = 0; size + newline < whole.size(); size += 97) {
      WriteText(path, whole.substr(0, size));
      ASSERT_FALSE(ReadCheckpoint(model).ok()) << path << " " << size;
    }
    WriteText(path, whole);
    ASSERT_EQ(Message(ReadCheckpoint(model)), "");
  }
}

TEST_F(NnTransformerTest, FlippedBitsGiveAStatusOrAValidCheckpoint) {
  auto state = ReadTorchFile(path_);
  path_ = folder_ + "/model.safetensors";  // without checksums
  ASSERT_EQ(Message(WriteSafetensors(path_, state->tensors, {})), "");
  ASSERT_EQ(Message(Read()), "");
  std::mt19937 random(5);
  for (const std::string& path : {path_, folder_ + "/model.json"}) {
    const size_t size = std::min<size_t>(fs::file_size(path), 6000);
    for (int i = 0; i < 400; ++i) {
      const size_t byte = random() % size;
      const auto bit = static_cast<unsigned>(random() % 8);
      FlipBit(path, byte, bit);
      const auto found = ReadCheckpoint(path_);
      FlipBit(path, byte, bit);
      if (!found.ok()) continue;
      EXPECT_EQ(Message(ValidateConfig(found->config)), "");
      EXPECT_EQ(Message(BindWeights(found->config, found->tensors)), "");
      EXPECT_FALSE(Describe(*found).empty());
    }
  }
}

}  // namespace
}  // namespace limpid::internal

// A small Hugging Face MarianMT folder for tests to change, and helpers for tests of files.

#ifndef LIMPID_TESTS_MODELS_MARIAN_FOLDER_H_
#define LIMPID_TESTS_MODELS_MARIAN_FOLDER_H_

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/tensor.h"
#include "models/native/safetensors.h"
#include "nlohmann/json.hpp"
#include "tests/temporary_folder.h"

namespace limpid::internal {

// The message of a Status or a StatusOr; empty if it is OK.
inline std::string Message(const absl::Status& status) {
  return {status.message().data(), status.message().size()};
}
template <typename T>
std::string Message(const absl::StatusOr<T>& result) {
  return Message(result.status());
}

// A path for this test alone, at which nothing exists yet.
inline std::string FreshPath(const std::string& name) {
  std::string path = TemporaryPath(name);
  std::filesystem::remove_all(path);
  return path;
}

inline std::string ReadText(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

inline void WriteText(const std::string& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

// Flips one bit of a file in place.
inline void FlipBit(const std::string& path, size_t byte, unsigned bit) {
  std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
  file.seekg(static_cast<std::streamoff>(byte));
  const int flipped = file.get() ^ (1 << bit);
  file.seekp(static_cast<std::streamoff>(byte));
  file.put(static_cast<char>(flipped));
}

inline std::vector<std::string> FilesIn(const std::string& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    names.push_back(entry.path().filename());
  }
  return names;
}

// While it exists, this process cannot write files of more than `bytes`, as on a full disk.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit = {bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;
  ~FileSizeLimit() { setrlimit(RLIMIT_FSIZE, &before_); }

 private:
  rlimit before_ = {};
};

// Tensors that own their data.
struct OwnedTensors {
  TensorMap views;
  std::vector<std::shared_ptr<const void>> storage;

  void Set(const std::string& name, std::vector<int64_t> shape, const std::vector<float>& values) {
    auto data = std::make_shared<std::vector<float>>(values);
    views[name] = {.dtype = DType::kFloat32,
                   .shape = std::move(shape),
                   .data = reinterpret_cast<const std::byte*>(data->data())};
    storage.push_back(std::move(data));
  }
};

struct MarianFolder {
  nlohmann::json config;
  nlohmann::json tokenizer_config;
  nlohmann::json vocabulary;
  // Not written while null.
  nlohmann::json target_vocabulary;
  nlohmann::json generation_config;
  std::string source_sentencepiece = "source pieces";
  std::string target_sentencepiece = "target pieces";
  OwnedTensors tensors;

  // Adds a tensor of random values around zero.
  void Add(const std::string& name, std::vector<int64_t> shape) {
    int64_t elements = 1;
    for (int64_t dimension : shape) elements *= dimension;
    std::vector<float> values(static_cast<size_t>(elements));
    std::normal_distribution<float> normal;
    for (float& value : values) value = normal(random_);
    tensors.Set(name, std::move(shape), values);
  }

  void AddLinear(const std::string& name, int out, int in) {
    Add(name + ".weight", {out, in});
    Add(name + ".bias", {out});
  }

  void AddNorm(const std::string& name, int size) {
    Add(name + ".weight", {size});
    Add(name + ".bias", {size});
  }

  void AddAttention(const std::string& name, int model_dim) {
    for (const char* part : {".q_proj", ".k_proj", ".v_proj", ".out_proj"}) {
      AddLinear(name + part, model_dim, model_dim);
    }
    AddNorm(name + "_layer_norm", model_dim);
  }

  // Writes all files to a fresh folder and returns its path.
  std::string Write(const std::string& name = "marian") const {
    std::string folder = FreshPath(name);
    std::filesystem::create_directories(folder);
    WriteText(folder + "/config.json", config.dump());
    WriteText(folder + "/tokenizer_config.json", tokenizer_config.dump());
    WriteText(folder + "/vocab.json", vocabulary.dump());
    if (!target_vocabulary.is_null()) {
      WriteText(folder + "/target_vocab.json", target_vocabulary.dump());
    }
    if (!generation_config.is_null()) {
      WriteText(folder + "/generation_config.json", generation_config.dump());
    }
    WriteText(folder + "/source.spm", source_sentencepiece);
    WriteText(folder + "/target.spm", target_sentencepiece);
    EXPECT_EQ(Message(WriteSafetensors(folder + "/model.safetensors", tensors.views, {})), "");
    return folder;
  }

  absl::StatusOr<Checkpoint> Read() const { return ReadHuggingFace(Write()); }

 private:
  std::mt19937 random_{1};
};

constexpr int kMarianDim = 4;
constexpr int kMarianFfnDim = 6;
constexpr int kMarianVocab = 5;
constexpr int kMarianPositions = 8;

// Two encoder layers and one decoder layer; joint vocabulary, one embedding, tied output.
inline MarianFolder SmallMarianFolder() {
  MarianFolder folder;
  folder.config = {{"model_type", "marian"},
                   {"d_model", kMarianDim},
                   {"vocab_size", kMarianVocab},
                   {"encoder_layers", 2},
                   {"decoder_layers", 1},
                   {"encoder_attention_heads", 2},
                   {"decoder_attention_heads", 1},
                   {"encoder_ffn_dim", kMarianFfnDim},
                   {"decoder_ffn_dim", kMarianFfnDim},
                   {"activation_function", "swish"},
                   {"scale_embedding", true},
                   {"max_position_embeddings", kMarianPositions},
                   {"eos_token_id", 0},
                   {"pad_token_id", 4},
                   {"decoder_start_token_id", 4}};
  folder.tokenizer_config = {{"source_lang", "eng"}, {"target_lang", "deu"}};
  folder.vocabulary = {{"</s>", 0}, {"<unk>", 1}, {"▁a", 2}, {"ü", 3}, {"<pad>", 4}};
  folder.Add("model.shared.weight", {kMarianVocab, kMarianDim});
  folder.Add("final_logits_bias", {1, kMarianVocab});
  for (const std::string layer :
       {"model.encoder.layers.0", "model.encoder.layers.1", "model.decoder.layers.0"}) {
    folder.AddAttention(layer + ".self_attn", kMarianDim);
    if (layer == "model.decoder.layers.0") folder.AddAttention(layer + ".encoder_attn", kMarianDim);
    folder.AddLinear(layer + ".fc1", kMarianFfnDim, kMarianDim);
    folder.AddLinear(layer + ".fc2", kMarianDim, kMarianFfnDim);
    folder.AddNorm(layer + ".final_layer_norm", kMarianDim);
  }
  return folder;
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_MODELS_MARIAN_FOLDER_H_

// Limpid's own model folders: config.json, tensors, vocabulary. What loads must translate.

#include <cstdlib>
#include <filesystem>
#include <string>

#include "engine/translator.h"
#include "models/checkpoint.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"
#include "tests/reference/random_model.h"

namespace limpid::fuzz {
namespace {

// Small, so that an input is mostly what is worth changing.
ModelConfig TinyConfig() {
  ModelConfig config = reference::SmallConfig();
  config.model_dim = 4;
  config.encoder_heads = config.decoder_heads = 2;
  config.encoder_ffn_dim = config.decoder_ffn_dim = 4;
  config.encoder_layers = config.decoder_layers = 1;
  config.source_vocab_size = config.target_vocab_size = 6;
  config.max_positions = config.max_source_tokens = 16;
  return config;
}

Model Write(const ModelConfig& config, const std::string& name, DType dtype) {
  const std::string folder = ScratchFolder("sound") + "/" + name;
  if (!WriteNative(reference::RandomModel(config, 1), folder, dtype).ok()) std::abort();
  // With these, whatever is changed would be refused at once.
  std::filesystem::remove(folder + "/checksums.json");
  return {folder, "", {"config.json", "model.safetensors", "vocabulary.json"}};
}

const ModelFolders& Folders() {
  ModelConfig learned = TinyConfig();
  learned.positions = Positions::kLearned;
  learned.decoder_self_attention = DecoderSelfAttention::kSsru;
  static const ModelFolders folders("native", {Write(TinyConfig(), "plain", DType::kFloat32),
                                               Write(TinyConfig(), "int8", DType::kInt8),
                                               Write(learned, "learned", DType::kFloat16)});
  return folders;
}

void Read(const std::string& path) {
  const auto translator = Translator::Load(path, {.threads = 1});
  if (!translator.ok()) return;
  (void)(*translator)->Translate("w2 w3", {.search = {.beam_size = 2, .max_output_tokens = 4}});
}

const bool registered =
    Register({"native", [](std::string_view input) { Folders().Run(input, Read); },
              [] { return Folders().Seeds(); }});

}  // namespace
}  // namespace limpid::fuzz

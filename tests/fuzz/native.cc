// Limpid's own model folders: config.json, tensors, vocabulary. What loads must translate.

#include "models/native/native.h"

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "limpid/translator.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/native/shortlist.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"
#include "tests/reference/random_model.h"

namespace limpid::internal::fuzz {
namespace {

// Small, so that most bytes of an input matter.
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

Model Write(const Checkpoint& checkpoint, const std::string& name, DType dtype) {
  const std::string folder = ScratchFolder("valid") + "/" + name;
  if (!WriteNative(checkpoint, folder, dtype).ok()) std::abort();
  // Checksums would reject every change at once.
  std::filesystem::remove(folder + "/checksums.json");
  Model model = {folder, "", {}};
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    model.files.push_back(file.path().filename());
  }
  std::sort(model.files.begin(), model.files.end());
  return model;
}

// Ssru() and PreNorm() change different options of TinyConfig().
ModelConfig Ssru() {
  ModelConfig config = TinyConfig();
  config.positions = Positions::kLearned;
  config.decoder_self_attention = DecoderSelfAttention::kSsru;
  config.shared_embeddings = false;
  config.source_bos_id = 2;
  return config;
}

ModelConfig PreNorm() {
  ModelConfig config = TinyConfig();
  config.norm_order = NormOrder::kPre;
  config.final_norm = config.embedding_norm = true;
  config.activation = Activation::kSwish;
  config.source_eos_id = -1;
  config.tied_output = false;
  return config;
}

// With SentencePiece and a shortlist of one candidate per piece.
Checkpoint WithAllFiles() {
  auto checkpoint = ReadCheckpoint("tests/golden/base");
  if (!checkpoint.ok()) std::abort();
  std::vector<uint64_t> offsets(checkpoint->config.source_vocab_size + 1);
  std::iota(offsets.begin(), offsets.end(), uint64_t{0});
  const std::vector<uint32_t> ids(offsets.size() - 1, 5);
  checkpoint->shortlist =
      FormatShortlist({.first_num = 2, .best_num = 1, .offsets = offsets, .ids = ids});
  return *std::move(checkpoint);
}

const ModelFolders& Folders() {
  using reference::RandomModel;
  static const ModelFolders folders("native",
                                    {Write(RandomModel(TinyConfig(), 1), "plain", DType::kFloat32),
                                     Write(RandomModel(TinyConfig(), 1), "int8", DType::kInt8),
                                     Write(RandomModel(Ssru(), 1), "ssru", DType::kFloat16),
                                     Write(RandomModel(PreNorm(), 1), "pre_norm", DType::kBFloat16),
                                     Write(WithAllFiles(), "all_files", DType::kInt8)});
  return folders;
}

void Read(const std::string& path) {
  const auto translator = Translator::Load(path, {.threads = 1});
  if (!translator.ok()) return;
  (void)(*translator)->Translate("w2 w3", {.search = {.beam_size = 2, .max_output_tokens = 4}});
  (void)(*translator)
      ->Translate("we sing", {.search = {.log_probabilities = false, .max_output_tokens = 4}});
}

const bool registered =
    Register({"native", [](std::string_view input) { Folders().Run(input, Read); },
              [] { return Folders().Seeds(); }});

}  // namespace
}  // namespace limpid::internal::fuzz

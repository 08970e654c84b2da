#include "tests/fuzz/small_translator.h"

#include <cstdint>
#include <cstdlib>
#include <string>
#include <utility>

#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/native/native.h"
#include "models/native/shortlist.h"
#include "tests/fuzz/model_folders.h"
#include "tests/reference/random_model.h"

namespace limpid::internal::fuzz {
namespace {

SmallTranslator Load(const char* shape, const Checkpoint& checkpoint, DType dtype = DType::kFloat32,
                     TranslatorOptions options = {}) {
  const std::string folder = ScratchFolder("translators") + "/" + shape;
  if (!WriteNative(checkpoint, folder, dtype).ok()) std::abort();
  options.threads = 1;
  auto translator = Translator::Load(folder, options);
  if (!translator.ok()) std::abort();
  return {shape, *std::move(translator)};
}

Checkpoint Read(const std::string& path) {
  auto checkpoint = ReadCheckpoint(path);
  if (!checkpoint.ok()) std::abort();
  return *std::move(checkpoint);
}

// SentencePiece splits text into pieces.
Checkpoint WithSentencePiece() { return Read("tests/golden/base"); }

// Three candidates per piece: few enough for drafts.
Checkpoint WithShortlist() {
  constexpr uint32_t kCandidates = 3;
  Checkpoint checkpoint = WithSentencePiece();
  const auto target_vocab = static_cast<uint32_t>(checkpoint.config.target_vocab_size);
  std::vector<uint64_t> offsets = {0};
  std::vector<uint32_t> ids;
  for (int piece = 0; piece < checkpoint.config.source_vocab_size; ++piece) {
    for (uint32_t i = 0; i < kCandidates; ++i) {
      ids.push_back((static_cast<uint32_t>(piece) * kCandidates + i) % target_vocab);
    }
    offsets.push_back(ids.size());
  }
  checkpoint.shortlist =
      FormatShortlist({.first_num = 2, .best_num = kCandidates, .offsets = offsets, .ids = ids});
  return checkpoint;
}

// Moses' rules and subword-nmt merges split text.
Checkpoint WithSubwordMerges() {
  Checkpoint checkpoint = Read("tests/golden/argos/model");
  checkpoint.subword_merges = ReadFile("tests/golden/argos/bpe.model");
  checkpoint.config.source_language = "en";
  checkpoint.config.target_language = "de";
  return checkpoint;
}

// The models below have no tokenizer: text is split by spaces into "w2", "w3" ….

// Like Firefox's models: an SSRU instead of self-attention in the decoder, which starts from zeros.
Checkpoint Ssru(DecoderSelfAttention kind) {
  ModelConfig config = reference::SmallConfig();
  config.decoder_self_attention = kind;
  config.positions = Positions::kSinusoidalMarian;
  return reference::RandomModel(config, 1);
}

// Like OpenNMT-py's: sources without </s>, pre-norm.
Checkpoint WithoutSourceEnd() {
  ModelConfig config = reference::SmallConfig();
  config.source_eos_id = -1;
  config.norm_order = NormOrder::kPre;
  config.final_norm = true;
  config.activation = Activation::kGelu;
  return reference::RandomModel(config, 2);
}

// Nothing shared: two embeddings, an untied output, <s> before sources, and so few learned
// positions that long sentences are cut.
Checkpoint WithNothingShared() {
  ModelConfig config = reference::SmallConfig();
  config.shared_embeddings = config.tied_output = false;
  config.target_vocab_size = 40;
  config.source_bos_id = 2;
  config.decoder_start_id = 3;
  config.bad_words = {3, 5};
  config.embedding_norm = true;
  config.positions = Positions::kLearned;
  config.max_positions = 24;
  config.max_source_tokens = 6;
  return reference::RandomModel(config, 3);
}

std::vector<SmallTranslator> LoadAll() {
  std::vector<SmallTranslator> all;
  all.push_back(Load("float32", WithSentencePiece(), DType::kFloat32,
                     {.compute_type = ComputeType::kFloat32}));  // with the int8 prefilter
  all.push_back(Load("int8", WithSentencePiece(), DType::kInt8));
  all.push_back(Load("drafts", WithShortlist(), DType::kFloat16));
  all.push_back(Load("shortlist", WithShortlist(), DType::kFloat32, {.shortlist = true}));
  all.push_back(Load("subword-nmt", WithSubwordMerges()));
  all.push_back(Load("ssru", Ssru(DecoderSelfAttention::kSsru)));
  all.push_back(Load("ssru-output", Ssru(DecoderSelfAttention::kSsruWithOutput), DType::kInt8));
  all.push_back(Load("no-source-end", WithoutSourceEnd()));
  all.push_back(Load("nothing-shared", WithNothingShared(), DType::kBFloat16,
                     {.compute_type = ComputeType::kFloat32}));
  return all;
}

}  // namespace

absl::Span<const SmallTranslator> SmallTranslators() {
  static const auto* const translators = new std::vector<SmallTranslator>(LoadAll());
  return *translators;
}

const Translator& ChooseTranslator(char choice) {
  const absl::Span<const SmallTranslator> all = SmallTranslators();
  return *all[static_cast<unsigned char>(choice - '0') % all.size()].translator;
}

}  // namespace limpid::internal::fuzz

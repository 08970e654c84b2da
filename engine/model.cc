#include "engine/model.h"

#include <cstddef>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/exceptions.h"
#include "engine/math/linear.h"
#include "engine/speed/fast_packing.h"
#include "engine/text/checkpoint_tokenizer.h"
#include "limpid/thread_pool.h"
#include "models/io/file.h"
#include "models/model/describe.h"
#include "models/model/weights.h"

namespace limpid::internal {
namespace {

absl::StatusOr<ComputeType> ChooseComputeType(ComputeType type) {
  if (type == ComputeType::kAuto) {
    return IsSupported(ComputeType::kInt8) ? ComputeType::kInt8 : ComputeType::kFloat32;
  }
  if (IsSupported(type)) return type;
  return absl::UnimplementedError(absl::StrCat("this processor does not compute in ",
                                               std::string(ComputeTypeName(type)),
                                               ": use float32 or auto"));
}

absl::StatusOr<std::unique_ptr<LoadedShortlist>> TakeShortlist(Checkpoint& checkpoint,
                                                               const TranslatorOptions& options) {
  if (checkpoint.shortlist.empty()) {
    if (!options.shortlist) return nullptr;
    return absl::FailedPreconditionError(
        "the model has no shortlist; make one with: limpid shortlist");
  }
  auto loaded = std::make_unique<LoadedShortlist>(std::move(checkpoint.shortlist));
  const absl::StatusOr<Shortlist> parsed = ParseShortlist(
      {reinterpret_cast<const std::byte*>(loaded->bytes.data()), loaded->bytes.size()},
      checkpoint.config.source_vocab_size, checkpoint.config.target_vocab_size);
  if (!parsed.ok()) return parsed.status();
  loaded->shortlist = *parsed;
  return loaded;
}

ModelInfo InfoOf(const Checkpoint& checkpoint, ComputeType type) {
  const ModelConfig& config = checkpoint.config;
  return {.source_language = config.source_language,
          .target_language = config.target_language,
          .source_vocab_size = config.source_vocab_size,
          .target_vocab_size = config.target_vocab_size,
          .tokenizer = std::string(TokenizerKindName(TokenizerKindOf(checkpoint))),
          .has_shortlist = !checkpoint.shortlist.empty(),
          .max_positions = config.max_positions,
          .max_source_tokens = config.max_source_tokens,
          .model_dim = config.model_dim,
          .encoder_layers = config.encoder_layers,
          .decoder_layers = config.decoder_layers,
          .encoder_heads = config.encoder_heads,
          .decoder_heads = config.decoder_heads,
          .stored_type = std::string(DTypeName(MainDType(checkpoint))),
          .compute_type = type};
}

// The parts of a model that take long to make.
struct Parts {
  std::optional<Encoder> encoder;
  std::optional<Decoder> decoder;
  std::optional<FastOutput> fast_output;
  absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer = nullptr;
};

// They take about as long as each other, so each has a thread.
absl::StatusOr<Parts> MakeParts(Checkpoint& checkpoint, const ModelWeights& weights,
                                ComputeType type, bool has_shortlist,
                                const TranslatorOptions& options) {
  constexpr int kParts = 3;
  const absl::StatusOr<std::shared_ptr<ThreadPool>> threads = ThreadPool::Create(kParts);
  if (!threads.ok()) return threads.status();
  TokenizerFiles files = TakeTokenizerFiles(checkpoint);
  const Packing packing = options.plain ? Packing(type) : FastPacking(type);
  Parts parts;
  const auto make = [&](size_t part) {
    const SingleThreadScope single_thread;
    if (part == 0) {
      parts.decoder.emplace(checkpoint.config, weights, packing);
      if (!options.plain) {
        const bool drafts = has_shortlist && !options.shortlist;
        parts.fast_output.emplace(parts.decoder->output(), drafts);
      }
    } else if (part == 1) {
      parts.encoder.emplace(checkpoint.config, weights, packing);
    } else {
      parts.tokenizer = MakeTokenizer(std::move(files));
    }
    return absl::OkStatus();
  };
  absl::Status status = (*threads)->ParallelFor(kParts, [&](size_t part) {
    return WithoutExceptions([&] { return make(part); }, OutOfMemoryLoading());
  });
  if (status.ok()) status = parts.tokenizer.status();
  if (!status.ok()) return status;
  return parts;
}

}  // namespace

absl::StatusOr<std::unique_ptr<Model>> MakeModel(CheckpointReader read,
                                                 const TranslatorOptions& options) {
  const absl::StatusOr<ComputeType> type = ChooseComputeType(options.compute_type);
  if (!type.ok()) return type.status();
  absl::StatusOr<Checkpoint> read_checkpoint = read();
  if (!read_checkpoint.ok()) return read_checkpoint.status();
  Checkpoint checkpoint = *std::move(read_checkpoint);
  const absl::StatusOr<ModelWeights> weights = BindWeights(checkpoint.config, checkpoint.tensors);
  if (!weights.ok()) return weights.status();
  ModelInfo info = InfoOf(checkpoint, *type);
  absl::StatusOr<std::unique_ptr<LoadedShortlist>> shortlist = TakeShortlist(checkpoint, options);
  if (!shortlist.ok()) return InContext(checkpoint.path, shortlist.status());
  absl::StatusOr<Parts> parts = MakeParts(checkpoint, *weights, *type, info.has_shortlist, options);
  if (!parts.ok()) return parts.status();
  return std::unique_ptr<Model>(new Model{
      Transformer(std::move(checkpoint), *std::move(parts->encoder), *std::move(parts->decoder)),
      std::move(parts->fast_output), *std::move(parts->tokenizer), *std::move(shortlist),
      options.shortlist, std::move(info)});
}

}  // namespace limpid::internal

// A loaded model: everything that a translator's threads share.

#ifndef LIMPID_ENGINE_MODEL_H_
#define LIMPID_ENGINE_MODEL_H_

#include <memory>
#include <optional>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/status/statusor.h"
#include "engine/speed/fast_output.h"
#include "engine/transformer/transformer.h"
#include "limpid/translator.h"
#include "models/model/checkpoint.h"
#include "models/native/shortlist.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Not movable: `shortlist` points into `bytes`.
struct LoadedShortlist {
  explicit LoadedShortlist(std::string file) : bytes(std::move(file)) {}
  LoadedShortlist(const LoadedShortlist&) = delete;
  LoadedShortlist& operator=(const LoadedShortlist&) = delete;

  const std::string bytes;
  Shortlist shortlist;
};

// Immutable.
struct Model {
  const Transformer transformer;
  const std::optional<FastOutput> fast_output;  // none with TranslatorOptions::plain
  const std::unique_ptr<Tokenizer> tokenizer;
  const std::unique_ptr<LoadedShortlist> shortlist;  // null: the model has none
  const bool only_shortlist;  // whether only the shortlist's tokens may be produced
  const ModelInfo info;

  const ModelConfig& config() const { return transformer.config(); }
};

// Reads a model. Called after the options that do not depend on it have been checked.
using CheckpointReader = absl::FunctionRef<absl::StatusOr<Checkpoint>()>;

// Packs the weights and makes the tokenizer, on up to three threads. Throws on failures of
// libraries; errors name the file.
absl::StatusOr<std::unique_ptr<Model>> MakeModel(CheckpointReader read,
                                                 const TranslatorOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MODEL_H_

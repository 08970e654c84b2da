// A translator made from a model in memory: for programs that read models in other formats.

#ifndef LIMPID_ENGINE_MAKE_TRANSLATOR_H_
#define LIMPID_ENGINE_MAKE_TRANSLATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "limpid/translator.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// As Translator::Load, but `options.verify` has no effect: there are no files. Throws nothing.
absl::StatusOr<std::unique_ptr<Translator>> MakeTranslator(Checkpoint checkpoint,
                                                           const TranslatorOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MAKE_TRANSLATOR_H_

// Makes a translator from a model that is read by other means than Translator::Load, such as
// ReadCheckpoint for other programs' formats.

#ifndef LIMPID_ENGINE_MAKE_TRANSLATOR_H_
#define LIMPID_ENGINE_MAKE_TRANSLATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/model.h"
#include "limpid/translator.h"

namespace limpid::internal {

// Same as Translator::Load with the model that `read` returns; calls it after checking the options.
// Ignores `options.verify`, which is for `read` to do. Does not throw, even if `read` does.
absl::StatusOr<std::unique_ptr<Translator>> MakeTranslator(CheckpointReader read,
                                                           const TranslatorOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MAKE_TRANSLATOR_H_

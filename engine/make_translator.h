// Makes a translator from a model in memory, for programs that read other model formats.

#ifndef LIMPID_ENGINE_MAKE_TRANSLATOR_H_
#define LIMPID_ENGINE_MAKE_TRANSLATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "limpid/translator.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

// Same as Translator::Load, but ignores `options.verify`: there are no files. Does not throw.
absl::StatusOr<std::unique_ptr<Translator>> MakeTranslator(Checkpoint checkpoint,
                                                           const TranslatorOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MAKE_TRANSLATOR_H_

// Makes a translator from a model that is read by other means than Translator::Load, such as
// ReadCheckpoint for other programs' formats.

#ifndef LIMPID_ENGINE_MAKE_TRANSLATOR_H_
#define LIMPID_ENGINE_MAKE_TRANSLATOR_H_

#include <memory>

#include "absl/status/statusor.h"
#include "engine/model.h"
#include "limpid/translator.h"
#include "models/io/file.h"

namespace limpid::internal {

// Same as Translator::Load, but `read` reads the model. Checks the options first, then, if they ask
// for it, the checksums of `folder`. Does not throw, even if `read` does.
absl::StatusOr<std::unique_ptr<Translator>> MakeTranslator(const Folder& folder,
                                                           CheckpointReader read,
                                                           const TranslatorOptions& options);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MAKE_TRANSLATOR_H_

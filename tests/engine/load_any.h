// A translator for a model in any format that `limpid` reads.

#ifndef LIMPID_TESTS_ENGINE_LOAD_ANY_H_
#define LIMPID_TESTS_ENGINE_LOAD_ANY_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "engine/make_translator.h"
#include "limpid/translator.h"
#include "models/formats/formats.h"
#include "models/io/file.h"

namespace limpid::internal {

inline absl::StatusOr<std::unique_ptr<Translator>> LoadAny(const std::string& path,
                                                           const TranslatorOptions& options = {}) {
  return MakeTranslator(
      Folder(path), [&] { return ReadCheckpoint(path); }, options);
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_ENGINE_LOAD_ANY_H_

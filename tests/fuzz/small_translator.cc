#include "tests/fuzz/small_translator.h"

#include <cstdlib>
#include <string>

#include "models/checkpoint.h"
#include "tests/fuzz/model_folders.h"

namespace limpid::fuzz {
namespace {

const Translator* Load() {
  const std::string folder = ScratchFolder("translator") + "/base";
  const auto checkpoint = ReadCheckpoint("tests/golden/base");
  if (!checkpoint.ok() || !WriteNative(*checkpoint, folder, DType::kFloat32).ok()) std::abort();
  auto translator = Translator::Load(folder, {.threads = 1});
  if (!translator.ok()) std::abort();
  return translator->release();
}

}  // namespace

const Translator& SmallTranslator() {
  static const Translator* const translator = Load();
  return *translator;
}

}  // namespace limpid::fuzz

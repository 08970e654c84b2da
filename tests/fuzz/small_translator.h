// Small models of every shape that the engine knows, for targets that translate.

#ifndef LIMPID_TESTS_FUZZ_SMALL_TRANSLATOR_H_
#define LIMPID_TESTS_FUZZ_SMALL_TRANSLATOR_H_

#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "limpid/translator.h"

namespace limpid::internal::fuzz {

struct SmallTranslator {
  const char* shape;
  std::unique_ptr<Translator> translator;
};

// All of them, loaded once.
absl::Span<const SmallTranslator> SmallTranslators();

// Chosen by an input's first byte: '0' is the first.
const Translator& ChooseTranslator(char choice);

}  // namespace limpid::internal::fuzz

#endif  // LIMPID_TESTS_FUZZ_SMALL_TRANSLATOR_H_

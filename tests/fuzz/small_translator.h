// A small model of random weights, with SentencePiece, for targets that translate.

#ifndef LIMPID_TESTS_FUZZ_SMALL_TRANSLATOR_H_
#define LIMPID_TESTS_FUZZ_SMALL_TRANSLATOR_H_

#include "engine/translator.h"

namespace limpid::fuzz {

const Translator& SmallTranslator();

}  // namespace limpid::fuzz

#endif  // LIMPID_TESTS_FUZZ_SMALL_TRANSLATOR_H_

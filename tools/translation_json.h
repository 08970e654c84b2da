// Translations as JSON, for other programs.

#ifndef LIMPID_TOOLS_TRANSLATION_JSON_H_
#define LIMPID_TOOLS_TRANSLATION_JSON_H_

#include <string>

#include "engine/translator.h"

namespace limpid {

// One line, without its end: an object of text, score and tokens, and of nbest where there are
// several translations. Scores are rounded to 6 decimals; one of minus infinity is null.
std::string FormatJson(const Translation& translation);

}  // namespace limpid

#endif  // LIMPID_TOOLS_TRANSLATION_JSON_H_

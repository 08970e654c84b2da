// Translations as JSON, for other programs.

#ifndef LIMPID_TOOLS_TRANSLATION_JSON_H_
#define LIMPID_TOOLS_TRANSLATION_JSON_H_

#include <optional>
#include <string>

#include "limpid/translator.h"
#include "tools/line_alignment.h"

namespace limpid::internal {

// One line, without its end: an object of text, score and tokens, of nbest where there are several
// translations, and of the alignment, if there is one. Scores are rounded to 6 decimals; one of
// minus infinity is null.
std::string FormatJson(const Translation& translation,
                       const std::optional<LineAlignment>& alignment = std::nullopt);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRANSLATION_JSON_H_

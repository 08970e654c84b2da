// Formats translations as JSON.

#ifndef LIMPID_TOOLS_TRANSLATION_JSON_H_
#define LIMPID_TOOLS_TRANSLATION_JSON_H_

#include <optional>
#include <string>

#include "limpid/translator.h"
#include "tools/line_alignment.h"

namespace limpid::internal {

// Returns one line, without its end: an object with text, score and tokens; nbest if there are
// several translations; and the alignment, if given. Scores are rounded to 6 decimals; minus
// infinity is null.
std::string FormatJson(const Translation& translation,
                       const std::optional<LineAlignment>& alignment = std::nullopt);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TRANSLATION_JSON_H_

// What Moses, a translation system of long standing, does to text before it is cut into pieces, and
// after: tokens are words, numbers and punctuation marks with spaces between them. Python programs
// do it by sacremoses, whose rules these are (MosesPunctNormalizer, MosesTokenizer and
// MosesDetokenizer with default options), except that
//  - abbreviations, after which a full stop is no token of its own, come from Unicode's data (CLDR)
//    and not from Moses' lists: of 60,000 sentences of Tatoeba in English and in German, 65 and 15
//    are cut otherwise by that, and none by anything else;
//  - letters are those of ICU's Unicode, which is newer;
//  - of the rules for Czech, those that never come into force or fail are missing.
//
// `language` is an ISO 639 code of two letters.

#ifndef LIMPID_TOKENIZER_MOSES_H_
#define LIMPID_TOKENIZER_MOSES_H_

#include <string_view>

#include "tokenizer/rewritten_text.h"

namespace limpid::internal {

// Valid UTF-8 text, below 2 GB, as tokens with one space between them. Characters that XML or Moses
// have a use for become entities: "&apos;".
RewrittenText MosesTokenize(std::string_view text, std::string_view language);

// Tokens with spaces between them as text for people.
RewrittenText MosesDetokenize(std::string_view tokens, std::string_view language);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_MOSES_H_

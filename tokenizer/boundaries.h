// Splitting text at the boundaries that an ICU break iterator finds.

#ifndef LIMPID_TOKENIZER_BOUNDARIES_H_
#define LIMPID_TOKENIZER_BOUNDARIES_H_

#include <unicode/brkiter.h>
#include <unicode/utypes.h>

#include <memory>
#include <string_view>
#include <vector>

#include "tokenizer/text.h"

namespace limpid::internal {

// Takes ownership of what ICU made. Throws if that failed: std::bad_alloc, or std::runtime_error
// that says what is missing.
std::unique_ptr<icu::BreakIterator> Own(icu::BreakIterator* iterator, UErrorCode error);

// Splits text, below 2 GB, at all boundaries of `rules`, of which it uses a copy.
std::vector<ByteRange> Segments(const icu::BreakIterator& rules, std::string_view text);

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_BOUNDARIES_H_

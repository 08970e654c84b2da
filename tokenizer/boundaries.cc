#include "tokenizer/boundaries.h"

#include <unicode/utext.h>

#include <cassert>
#include <cstdint>
#include <new>
#include <stdexcept>
#include <string>

namespace limpid::internal {
namespace {

[[noreturn]] void Throw(UErrorCode error) {
  if (error == U_MEMORY_ALLOCATION_ERROR || U_SUCCESS(error)) throw std::bad_alloc();
  const bool no_data = error == U_FILE_ACCESS_ERROR || error == U_MISSING_RESOURCE_ERROR;
  throw std::runtime_error(std::string("ICU cannot split text: ") + u_errorName(error) +
                           (no_data ? "; its data is missing: reinstall libicu" : ""));
}

}  // namespace

std::unique_ptr<icu::BreakIterator> Own(icu::BreakIterator* iterator, UErrorCode error) {
  std::unique_ptr<icu::BreakIterator> made(iterator);
  if (made == nullptr || U_FAILURE(error)) Throw(error);
  return made;
}

std::vector<ByteRange> Segments(const icu::BreakIterator& rules, std::string_view text) {
  assert(text.size() <= INT32_MAX);  // the iterator counts in 32 bits
  UErrorCode error = U_ZERO_ERROR;
  UText utext = UTEXT_INITIALIZER;
  utext_openUTF8(&utext, text.data(), static_cast<int64_t>(text.size()), &error);
  const std::unique_ptr<icu::BreakIterator> boundaries = Own(rules.clone(), U_ZERO_ERROR);
  boundaries->setText(&utext, error);
  if (U_FAILURE(error)) Throw(error);
  std::vector<ByteRange> segments;
  size_t begin = 0;
  while (boundaries->next() != icu::BreakIterator::DONE) {
    const auto end = static_cast<size_t>(boundaries->current());
    segments.push_back({begin, end});
    begin = end;
  }
  utext_close(&utext);
  return segments;
}

}  // namespace limpid::internal

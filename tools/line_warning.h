// A warning that many lines of a stream may deserve.

#ifndef LIMPID_TOOLS_LINE_WARNING_H_
#define LIMPID_TOOLS_LINE_WARNING_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/subcommand.h"

namespace limpid::internal {

// Prints the first occurrence at once, because the stream may never end, and the total at the end.
class LineWarning {
 public:
  // `message` follows "warning: line 7", `summary` follows "12 lines".
  LineWarning(std::string message, std::string summary)
      : message_(std::move(message)), summary_(std::move(summary)) {}

  // Counts line `number`; prints the message, followed by `detail`, if it is the first.
  void Add(int64_t number, absl::string_view detail = "") {
    if (++lines_ == 1) Complain(absl::StrCat("warning: line ", number, " ", message_, detail));
  }

  // Prints the total if it exceeds one.
  void Finish() const {
    if (lines_ > 1) Complain(absl::StrCat(WithCommas(lines_), " lines ", summary_));
  }

  // Whether the next Add() prints.
  bool is_first() const { return lines_ == 0; }

 private:
  std::string message_;
  std::string summary_;
  int64_t lines_ = 0;
};

inline LineWarning InvalidUtf8Warning() {
  return {"is not valid UTF-8; replaced the invalid bytes with U+FFFD", "were not valid UTF-8"};
}

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_LINE_WARNING_H_

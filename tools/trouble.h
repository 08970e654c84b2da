// Something that may happen to many lines of a stream, and that a user should know.

#ifndef LIMPID_TOOLS_TROUBLE_H_
#define LIMPID_TOOLS_TROUBLE_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "tools/subcommand.h"

namespace limpid::internal {

// The first line that has it is told at once, for a stream may never end; how many had it, at the
// end.
class Trouble {
 public:
  // "12 lines in all SUMMARY"
  explicit Trouble(std::string summary) : summary_(std::move(summary)) {}

  // Counts a line. Returns whether it is the first.
  bool Count() { return ++lines_ == 1; }

  // Counts line `number` and, if it is the first, says "line 7 WARNING".
  void Note(int64_t number, absl::string_view warning) {
    if (Count()) Complain(absl::StrCat("warning: line ", number, " ", warning));
  }

  // Says how many there were, where they were several.
  void Finish() const {
    if (lines_ > 1) Complain(absl::StrCat(WithCommas(lines_), " lines in all ", summary_));
  }

 private:
  std::string summary_;
  int64_t lines_ = 0;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_TROUBLE_H_

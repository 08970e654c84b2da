// Options that are whole numbers, and what to say where they are out of range.

#ifndef LIMPID_ENGINE_SEARCH_COUNT_CHECK_H_
#define LIMPID_ENGINE_SEARCH_COUNT_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid::internal {

struct Count {
  const char* name;
  int value;
  int least;
  const char* threshold_means;  // such as "none"; or null
  int most;
};

// Whether it is within its range: InvalidArgument says which that is.
inline absl::Status CheckCount(const Count& count) {
  if (count.value > count.most) {
    return absl::InvalidArgumentError(
        absl::StrCat(count.name, " must be at most ", count.most, ", not ", count.value));
  }
  if (count.value >= count.least) return absl::OkStatus();
  const std::string meaning =
      count.threshold_means == nullptr ? "" : absl::StrCat(" (", count.threshold_means, ")");
  return absl::InvalidArgumentError(
      absl::StrCat(count.name, " must be ",
                   count.least == 1 ? "at least 1" : absl::StrCat(count.least, meaning, " or more"),
                   ", not ", count.value));
}

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_SEARCH_COUNT_CHECK_H_

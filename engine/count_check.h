// Range checks of integer options.

#ifndef LIMPID_ENGINE_COUNT_CHECK_H_
#define LIMPID_ENGINE_COUNT_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid::internal {

struct Count {
  const char* name;
  int value;
  int min;
  const char* min_means;  // such as "none", for the message; or null
  int max;
};

// InvalidArgument if the value is outside [min, max]; the message states the range.
inline absl::Status CheckCount(const Count& count) {
  if (count.value > count.max) {
    return absl::InvalidArgumentError(
        absl::StrCat(count.name, " must be at most ", count.max, ", not ", count.value));
  }
  if (count.value >= count.min) return absl::OkStatus();
  const std::string meaning =
      count.min_means == nullptr ? "" : absl::StrCat(" (", count.min_means, ")");
  return absl::InvalidArgumentError(
      absl::StrCat(count.name, " must be ",
                   count.min == 1 ? "at least 1" : absl::StrCat(count.min, meaning, " or more"),
                   ", not ", count.value));
}

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_COUNT_CHECK_H_

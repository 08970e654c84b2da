#include "tools/subcommand.h"

#include <unistd.h>

#include <algorithm>
#include <iostream>

#include "absl/strings/str_cat.h"
#include "tools/lines.h"
#include "tools/terminal.h"

namespace limpid::internal {

std::optional<int> ParseOrFinish(Arguments arguments, Flags* flags) {
  const absl::Status status = flags->Parse(arguments);
  if (flags->help_wanted()) return Print(flags->Help());
  if (!status.ok()) return UsageError(status.message());
  return std::nullopt;
}

void Complain(absl::string_view message) {
  std::string line = Printable(absl::StrCat("limpid: ", message));
  // File names may contain line ends.
  for (const char end : {'\r', '\n'}) std::replace(line.begin(), line.end(), end, ' ');
  line += '\n';
  std::cerr << line;
}

int Failure(const absl::Status& status) {
  Complain(status.message());
  return kFailure;
}

int UsageError(absl::string_view message) {
  Complain(message);
  return kUsageError;
}

int Print(std::string_view text) { return PrintAsIs(Printable(text)); }

int PrintAsIs(std::string_view text) {
  LineWriter writer(STDOUT_FILENO, "standard output");
  absl::Status status = writer.WriteAsIs(text);
  status.Update(writer.Close());
  return status.ok() ? kSuccess : Failure(status);
}

std::string WithCommas(int64_t number) {
  std::string digits = absl::StrCat(number);
  for (size_t end = digits.size(); end > 3; end -= 3) digits.insert(end - 3, 1, ',');
  return digits;
}

}  // namespace limpid::internal

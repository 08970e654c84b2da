// What the subcommands of the program share: how they are called, how they end, what they print.
//
// A new subcommand is a function declared below, a file of its own, and a row of the table in
// main.cc.

#ifndef LIMPID_TOOLS_SUBCOMMAND_H_
#define LIMPID_TOOLS_SUBCOMMAND_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "tools/flags.h"

namespace limpid::internal {

// What the program gives back to its caller.
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;     // a file, the model or the system did not let us
inline constexpr int kUsageError = 2;  // the command line makes no sense

// What comes after the name of a subcommand on the command line.
using Arguments = absl::Span<const std::string>;

// Each runs one subcommand and returns the exit code.
int RunTranslate(Arguments arguments);
int RunScore(Arguments arguments);
int RunTrace(Arguments arguments);
int RunAlign(Arguments arguments);
int RunConvert(Arguments arguments);
int RunInspect(Arguments arguments);
int RunShortlist(Arguments arguments);

// Parses a subcommand's arguments. Returns the exit code if there is nothing more to do: help was
// asked for and printed, or the arguments were wrong and it was said how.
std::optional<int> ParseOrFinish(Arguments arguments, Flags* flags);

// Prints "limpid: …" as one line on stderr, Printable (terminal.h).
void Complain(absl::string_view message);

// Say on stderr why the program ends, and return the exit code for it.
int Failure(const absl::Status& status);
int UsageError(absl::string_view message);

// Prints for people on stdout, Printable (terminal.h); returns kSuccess, or if that failed, says so
// and returns kFailure.
int Print(std::string_view text);

// The same of what is meant to be as it is: drawn in colour, or for a program.
int PrintAsIs(std::string_view text);

// "1,234,567"
std::string WithCommas(int64_t number);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_SUBCOMMAND_H_

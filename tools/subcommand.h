// What subcommands share: declarations, exit codes and printing.
//
// To add a subcommand, declare its function below, define it in a new file, and add a row to the
// table in main.cc.

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

// Exit codes.
inline constexpr int kSuccess = 0;
inline constexpr int kFailure = 1;     // of a file, the model or the system
inline constexpr int kUsageError = 2;  // invalid command line

// The command line after the subcommand's name.
using Arguments = absl::Span<const std::string>;

// Each runs a subcommand and returns the exit code.
int RunTranslate(Arguments arguments);
int RunScore(Arguments arguments);
int RunTrace(Arguments arguments);
int RunAlign(Arguments arguments);
int RunConvert(Arguments arguments);
int RunInspect(Arguments arguments);
int RunShortlist(Arguments arguments);

// Parses a subcommand's arguments. Returns the exit code if the program should end: it printed the
// help or an error.
std::optional<int> ParseOrFinish(Arguments arguments, Flags* flags);

// Prints "limpid: …" as one line on stderr, Printable (terminal.h).
void Complain(absl::string_view message);

// Print the error on stderr and return the exit code for it.
int Failure(const absl::Status& status);
int UsageError(absl::string_view message);

// Prints text for people on stdout, made Printable (terminal.h). Returns kSuccess; on failure,
// prints the error and returns kFailure.
int Print(std::string_view text);

// Prints bytes unchanged: colours, or data for a program.
int PrintAsIs(std::string_view text);

// "1,234,567"
std::string WithCommas(int64_t number);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_SUBCOMMAND_H_

// Where a subcommand's lines come from and go to.

#ifndef LIMPID_TOOLS_STREAMS_H_
#define LIMPID_TOOLS_STREAMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid::internal {

// Makes sure that 0, 1 and 2 are descriptors, so that no file which is opened later takes the place
// of a standard stream that the caller of the program has closed. Those that were closed can still
// be neither read nor written. Call it first.
void OccupyStandardStreams();

struct File {
  int descriptor = -1;
  std::string name;
};

// Whether a path means a standard stream: it is empty or "-".
bool IsStandardStream(const std::string& path);

// Standard input where `path` is empty or "-".
absl::StatusOr<File> OpenInput(const std::string& path);

// Standard output where `path` is empty or "-". Refuses one that is the same file as one of the
// inputs, by whatever name or redirection: it would be lost, or would never end.
absl::StatusOr<File> OpenOutput(const std::string& path, absl::Span<const File> inputs);

// The same check for a file that is to be written later, by its name. It need not exist yet.
absl::Status CheckOutput(const std::string& path, absl::Span<const File> inputs);

// One of several outputs of a command, as its user knows it: "--svg".
struct NamedOutput {
  std::string name;
  std::string path;  // "-": standard output; empty: none
};

// Fails with InvalidArgument where two outputs are one file, by whatever name or redirection, or
// both standard output. `printed`: what the command prints there besides; empty: nothing, where an
// output goes there.
absl::Status CheckOutputsDiffer(const std::string& printed, absl::Span<const NamedOutput> outputs);

// Takes "-" alone, which as a text means standard input, out of `words`; returns whether it was
// there.
bool TakeDash(std::vector<std::string>* words);

// What a run that was cut short has written.
struct PartialOutput {
  File file;          // stands behind its last whole line
  int64_t lines = 0;  // whole ones
};

// Opens an output to go on with, leaving it as it is; where there is none, a new one. It must be a
// file, and not one of the inputs.
absl::StatusOr<PartialOutput> ReopenOutput(const std::string& path, absl::Span<const File> inputs);

// Cuts off what a file has behind the place where it stands.
absl::Status CutOffRest(const File& file);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_STREAMS_H_

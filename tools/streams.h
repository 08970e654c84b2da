// Opening the inputs and outputs of a subcommand.

#ifndef LIMPID_TOOLS_STREAMS_H_
#define LIMPID_TOOLS_STREAMS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid::internal {

// Opens descriptors 0, 1 and 2 if the caller of the program closed them, so that no file opened
// later is mistaken for a standard stream. Reading or writing them still fails. Call this first.
void OccupyStandardStreams();

struct File {
  int descriptor = -1;
  std::string name;
};

// Whether `path` denotes a standard stream: "" or "-".
bool IsStandardStream(const std::string& path);

// Opens `path`; returns standard input for "" or "-".
absl::StatusOr<File> OpenInput(const std::string& path);

// Opens and empties `path`; returns standard output for "" or "-". Fails if it is the same file as
// an input, even by another name or redirection: the input would be lost, or never end.
absl::StatusOr<File> OpenOutput(const std::string& path, absl::Span<const File> inputs);

// The same check for a file that will be written later. It need not exist yet.
absl::Status CheckOutput(const std::string& path, absl::Span<const File> inputs);

// One of several outputs of a command.
struct NamedOutput {
  std::string name;  // the flag, such as "--svg"
  std::string path;  // "-": standard output; empty: none
};

// Fails with InvalidArgument if two outputs are the same file, even by another name or redirection,
// or both are standard output. `printed` names what the command prints there in any case; if empty,
// an output may replace it.
absl::Status CheckOutputsDiffer(const std::string& printed, absl::Span<const NamedOutput> outputs);

// Clears `words` if it is only "-", which means standard input, and returns whether it was.
bool TakeDash(std::vector<std::string>* words);

// The output of an interrupted run.
struct PartialOutput {
  File file;          // positioned after its last complete line
  int64_t lines = 0;  // complete ones
};

// Opens an output for appending, without changing it, or creates it. Fails if it is not a regular
// file or is one of the inputs.
absl::StatusOr<PartialOutput> ReopenOutput(const std::string& path, absl::Span<const File> inputs);

// Truncates a file at its current position.
absl::Status Truncate(const File& file);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_STREAMS_H_

// Where a subcommand's lines come from and go to.

#ifndef LIMPID_TOOLS_STREAMS_H_
#define LIMPID_TOOLS_STREAMS_H_

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace limpid {

struct File {
  int descriptor = -1;
  std::string name;
};

// Standard input where `path` is empty or "-".
absl::StatusOr<File> OpenInput(const std::string& path);

// Standard output where `path` is empty or "-". Refuses to write over the input.
absl::StatusOr<File> OpenOutput(const std::string& path, const File& input);

// What a run that was cut short has written.
struct PartialOutput {
  File file;          // stands behind its last whole line
  int64_t lines = 0;  // whole ones
};

// Opens an output to go on with, leaving it as it is; where there is none, a new one. It must be a
// file, and not the input.
absl::StatusOr<PartialOutput> ReopenOutput(const std::string& path, const File& input);

// Cuts off what a file has behind the place where it stands.
absl::Status CutOffRest(const File& file);

}  // namespace limpid

#endif  // LIMPID_TOOLS_STREAMS_H_

// Where a subcommand's lines come from and go to.

#ifndef LIMPID_TOOLS_STREAMS_H_
#define LIMPID_TOOLS_STREAMS_H_

#include <string>

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

}  // namespace limpid

#endif  // LIMPID_TOOLS_STREAMS_H_

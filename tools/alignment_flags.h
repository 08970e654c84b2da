// The flags that choose how words are aligned, for all subcommands that do so.

#ifndef LIMPID_TOOLS_ALIGNMENT_FLAGS_H_
#define LIMPID_TOOLS_ALIGNMENT_FLAGS_H_

#include <string>

#include "absl/status/statusor.h"
#include "engine/alignment.h"
#include "tools/flags.h"

namespace limpid {

struct AlignmentFlags {
  std::string measure = "weight";
  std::string row;
  int layer = -1;
  int head = -1;
};

// Adds --measure, --row, --layer and --head.
void AddAlignmentFlags(AlignmentFlags* values, Flags* flags);

// What the flags ask for; InvalidArgument, naming the flag, if they make no sense.
absl::StatusOr<AlignmentOptions> ReadAlignmentFlags(const AlignmentFlags& values);

// "mutual" or "each"; InvalidArgument otherwise.
absl::StatusOr<LinkRule> ReadLinkRule(const std::string& text);

}  // namespace limpid

#endif  // LIMPID_TOOLS_ALIGNMENT_FLAGS_H_

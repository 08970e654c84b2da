// Alignment flags that several subcommands share.

#ifndef LIMPID_TOOLS_ALIGNMENT_FLAGS_H_
#define LIMPID_TOOLS_ALIGNMENT_FLAGS_H_

#include <optional>

#include "limpid/alignment.h"
#include "tools/flags.h"

namespace limpid::internal {

// Whether to align words or the pieces of the vocabulary.
enum class Level { kWord, kPiece };

inline constexpr int kMaxLayers = 1024;
inline constexpr int kMaxHeads = 1 << 20;

// Adds --row and --measure.
void AddRowAndMeasureFlags(std::optional<AlignmentRow>* row, AlignmentMeasure* measure,
                           Flags* flags);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_ALIGNMENT_FLAGS_H_

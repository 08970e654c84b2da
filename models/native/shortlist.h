// Lexical shortlists in Marian's binary format ("lex.*.bin"): for each source piece, its likely
// target pieces. A decoder that scores only those and the most frequent ones saves most of the
// output GEMM.
//
// Layout, all little-endian: six uint64 (magic, checksum of everything after it, first_num,
// best_num, number of offsets, number of ids), the offsets as uint64, the ids as uint32.

#ifndef LIMPID_MODELS_NATIVE_SHORTLIST_H_
#define LIMPID_MODELS_NATIVE_SHORTLIST_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid::internal {

struct Shortlist {
  uint64_t first_num = 0;  // target ids 0 … first_num - 1 are always candidates; 0 is </s>
  uint64_t best_num = 0;   // max candidates per source piece
  // The candidates of source piece s are ids[offsets[s]] … ids[offsets[s + 1] - 1]. The last source
  // pieces may have no offsets, as in some of Firefox's files; these have no candidates.
  absl::Span<const uint64_t> offsets = {};  // at most [source_vocab + 1]
  absl::Span<const uint32_t> ids = {};      // of the target vocabulary

  // `source_id` is any id of the source vocabulary.
  absl::Span<const uint32_t> Candidates(int source_id) const {
    const auto id = static_cast<size_t>(source_id);
    if (id + 1 >= offsets.size()) return {};
    return ids.subspan(offsets[id], offsets[id + 1] - offsets[id]);
  }
};

// Returns the sorted union of the source pieces' candidates and ids below first_num.
std::vector<int> UnionOfCandidates(const Shortlist& shortlist, absl::Span<const int> source_ids,
                                   int target_vocab);

// Parses a shortlist that points into `bytes`, which must be aligned to 8. Checks the checksum,
// that offsets never decrease and end at the number of ids, and that ids are below `target_vocab`.
// Errors are InvalidArgument.
absl::StatusOr<Shortlist> ParseShortlist(absl::Span<const std::byte> bytes, int source_vocab,
                                         int target_vocab);

// Serializes a shortlist for ParseShortlist.
std::string FormatShortlist(const Shortlist& shortlist);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_NATIVE_SHORTLIST_H_

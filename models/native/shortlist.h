// Lexical shortlists in Marian's binary form ("lex.*.bin"): for each source piece, the target
// pieces that it is likely to be translated with. A decoder that scores those alone, and the most
// frequent ones, saves most of the output product.
//
// Layout, all little-endian: six uint64 (magic, checksum of all that follows it, first_num,
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
  uint64_t first_num = 0;  // target ids 0 … first_num - 1 are candidates always; 0 is </s>
  uint64_t best_num = 0;   // the most candidates that were kept of a source piece
  // Source piece s has ids[offsets[s]] up to ids[offsets[s + 1]]. The last source pieces may have
  // no offsets, as in some of Firefox's files; they have no candidates of their own.
  absl::Span<const uint64_t> offsets = {};  // at most [source_vocab + 1]
  absl::Span<const uint32_t> ids = {};      // of the target vocabulary

  // The candidates of a source piece; `source_id` is any id of the source vocabulary.
  absl::Span<const uint32_t> Candidates(int source_id) const {
    const auto id = static_cast<size_t>(source_id);
    if (id + 1 >= offsets.size()) return {};
    return ids.subspan(offsets[id], offsets[id + 1] - offsets[id]);
  }
};

// The candidates of all these source pieces and the first first_num, each once and in order.
std::vector<int> UnionOfCandidates(const Shortlist& shortlist, absl::Span<const int> source_ids,
                                   int target_vocab);

// Reads a shortlist, which then points into `bytes`; they must be aligned to 8, as a mapped file
// and the content of an allocated string are. Everything is checked: the checksum, that offsets
// never fall and end with the ids, that ids are below `target_vocab`. Errors are InvalidArgument.
absl::StatusOr<Shortlist> ParseShortlist(absl::Span<const std::byte> bytes, int source_vocab,
                                         int target_vocab);

// The bytes of a shortlist; ParseShortlist gives it back.
std::string FormatShortlist(const Shortlist& shortlist);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_NATIVE_SHORTLIST_H_

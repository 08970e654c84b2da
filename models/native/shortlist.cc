#include "models/native/shortlist.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "models/io/bytes.h"

namespace limpid::internal {
namespace {

constexpr uint64_t kMagic = 0xF11A48D5013417F5;
constexpr size_t kHeaderFields = 6;
constexpr size_t kHeaderBytes = kHeaderFields * sizeof(uint64_t);
constexpr size_t kUncheckedBytes = 2 * sizeof(uint64_t);  // magic and checksum

// Marian's hashMem: boost's hash_combine over the uint64s in `bytes`, without an odd uint32 at the
// end.
uint64_t Checksum(absl::Span<const std::byte> bytes) {
  uint64_t hash = 0;
  for (size_t at = 0; at + sizeof(uint64_t) <= bytes.size(); at += sizeof(uint64_t)) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, sizeof(word));
    hash ^= word + 0x9E3779B9 + (hash << 6) + (hash >> 2);
  }
  return hash;
}

absl::Status CheckHeader(const uint64_t (&header)[kHeaderFields],
                         absl::Span<const std::byte> bytes) {
  if (header[0] != kMagic) {
    return absl::InvalidArgumentError(absl::StrCat("is not a binary shortlist: expected the magic ",
                                                   absl::Hex(kMagic, absl::kZeroPad16), ", found ",
                                                   absl::Hex(header[0], absl::kZeroPad16)));
  }
  const uint64_t offsets = header[4];
  const uint64_t ids = header[5];
  const uint64_t body = bytes.size() - kHeaderBytes;
  // Each is bounded first, so that the sum cannot overflow.
  if (offsets > body / sizeof(uint64_t) || ids > body / sizeof(uint32_t) ||
      offsets * sizeof(uint64_t) + ids * sizeof(uint32_t) != body) {
    return absl::InvalidArgumentError(absl::StrCat("the header says ", offsets, " offsets and ",
                                                   ids, " ids, found ", body,
                                                   " bytes; expected 8 per offset and 4 per id"));
  }
  if (Checksum(bytes.subspan(kUncheckedBytes)) != header[1]) {
    return absl::InvalidArgumentError(
        "is damaged: the checksum differs from the one in the header");
  }
  return absl::OkStatus();
}

absl::Status CheckContents(const Shortlist& shortlist, int source_vocab, int target_vocab) {
  const absl::Span<const uint64_t> offsets = shortlist.offsets;
  if (offsets.empty() || offsets.size() > static_cast<size_t>(source_vocab) + 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected 1 to ", source_vocab + 1, " offsets for a source vocabulary of ",
                     source_vocab, " pieces, found ", offsets.size()));
  }
  for (size_t i = 1; i < offsets.size(); ++i) {
    if (offsets[i] >= offsets[i - 1]) continue;
    return absl::InvalidArgumentError(absl::StrCat("offset ", i, " is ", offsets[i],
                                                   ", below the one before it, ", offsets[i - 1]));
  }
  if (offsets.back() != shortlist.ids.size()) {
    return absl::InvalidArgumentError(absl::StrCat("expected the last offset to be the number of ",
                                                   "ids, ", shortlist.ids.size(), ", found ",
                                                   offsets.back()));
  }
  for (const uint32_t id : shortlist.ids) {
    if (id < static_cast<uint32_t>(target_vocab)) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        "expected ids below the size of the target vocabulary, ", target_vocab, ", found ", id));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<Shortlist> ParseShortlist(absl::Span<const std::byte> bytes, int source_vocab,
                                         int target_vocab) {
  assert(reinterpret_cast<uintptr_t>(bytes.data()) % alignof(uint64_t) == 0);
  if (bytes.size() < kHeaderBytes) {
    return absl::InvalidArgumentError(absl::StrCat("ends too early: expected a header of ",
                                                   kHeaderBytes, " bytes, found ", bytes.size()));
  }
  uint64_t header[kHeaderFields];
  std::memcpy(header, bytes.data(), kHeaderBytes);
  if (absl::Status status = CheckHeader(header, bytes); !status.ok()) return status;

  const auto* offsets = reinterpret_cast<const uint64_t*>(bytes.data() + kHeaderBytes);
  const auto* ids = reinterpret_cast<const uint32_t*>(offsets + header[4]);
  const Shortlist shortlist = {.first_num = header[2],
                               .best_num = header[3],
                               .offsets = {offsets, header[4]},
                               .ids = {ids, header[5]}};
  absl::Status status = CheckContents(shortlist, source_vocab, target_vocab);
  if (!status.ok()) return status;
  return shortlist;
}

std::string FormatShortlist(const Shortlist& shortlist) {
  std::string text;
  const auto append = [&text](const void* data, size_t size) {
    if (size > 0) text.append(static_cast<const char*>(data), size);
  };
  for (const uint64_t field :
       {kMagic, uint64_t{0}, shortlist.first_num, shortlist.best_num,
        uint64_t{shortlist.offsets.size()}, uint64_t{shortlist.ids.size()}}) {
    append(&field, sizeof(field));
  }
  append(shortlist.offsets.data(), shortlist.offsets.size() * sizeof(uint64_t));
  append(shortlist.ids.data(), shortlist.ids.size() * sizeof(uint32_t));
  const uint64_t checksum =
      Checksum(absl::MakeConstSpan(reinterpret_cast<const std::byte*>(text.data()), text.size())
                   .subspan(kUncheckedBytes));
  std::memcpy(text.data() + sizeof(kMagic), &checksum, sizeof(checksum));
  return text;
}

std::vector<int> UnionOfCandidates(const Shortlist& shortlist, absl::Span<const int> source_ids,
                                   int target_vocab) {
  std::vector<bool> is_candidate(target_vocab);
  std::fill_n(is_candidate.begin(),
              std::min(shortlist.first_num, static_cast<uint64_t>(target_vocab)), true);
  for (const int source_id : source_ids) {
    for (const uint32_t id : shortlist.Candidates(source_id)) is_candidate[id] = true;
  }
  std::vector<int> candidates;
  for (int id = 0; id < target_vocab; ++id) {
    if (is_candidate[id]) candidates.push_back(id);
  }
  return candidates;
}

}  // namespace limpid::internal

// Byte pair encoding as in subword-nmt: a word is split into characters, and pairs of pieces are
// merged in the order of a list.

#ifndef LIMPID_TOKENIZER_SUBWORD_NMT_H_
#define LIMPID_TOKENIZER_SUBWORD_NMT_H_

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "tokenizer/text.h"

namespace limpid::internal {

// At the end of a piece: the word continues.
inline constexpr std::string_view kContinues = "@@";

// The merges of one file. Thread-safe once made.
class SubwordNmt {
 public:
  // Parses a file of `subword-nmt learn-bpe`: "#version: 0.2", then one merge per line, two pieces
  // with a space between them; "</w>" is the end of a word. Without the first line it is version
  // 0.1, in which "</w>" starts as a piece of its own. The first of repeated merges counts. Fails
  // with InvalidArgument on anything else; the message names the line.
  static absl::StatusOr<std::shared_ptr<const SubwordNmt>> Parse(std::string_view file);

  // Splits a word, valid UTF-8 and not empty, into pieces, which are in order and cover all of it.
  // Takes O(n log n) time.
  std::vector<ByteRange> Cut(std::string_view word) const;

 private:
  using Pair = std::pair<std::string_view, std::string_view>;

  explicit SubwordNmt(std::string_view file) : file_(file) {}

  // The index of a pair in the list, or -1.
  int RankOf(const Pair& pair) const;

  const std::string file_;
  bool end_is_piece_ = false;  // version 0.1: "</w>" starts as a piece of its own
  // Views of file_. Not an Abseil map: after a failed allocation those cannot even be destroyed.
  std::unordered_map<Pair, int, absl::Hash<Pair>> ranks_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SUBWORD_NMT_H_

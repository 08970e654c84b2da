// Byte pair encoding as subword-nmt does it: a word is cut into characters, and pairs of pieces are
// joined in the order in which a list of merges has them.

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

// Marks a piece that the next one continues, at its end.
inline constexpr std::string_view kContinues = "@@";

// The merges of one file. Thread-safe once made.
class SubwordNmt {
 public:
  // Reads a file as `subword-nmt learn-bpe` writes it: "#version: 0.2", then one merge a line, two
  // pieces with a space between them, where "</w>" stands for the end of a word; without the first
  // line it is version 0.1, in which "</w>" starts as a piece of its own. Of merges that repeat,
  // the first counts. Fails with InvalidArgument on anything else; the message names the line.
  static absl::StatusOr<std::shared_ptr<const SubwordNmt>> Parse(std::string_view file);

  // Cuts a word, valid UTF-8 and not empty, into the pieces of it that are joined last: they are
  // in order and cover all of it. Takes time in proportion to n log n.
  std::vector<ByteRange> Cut(std::string_view word) const;

  size_t merges() const { return ranks_.size(); }

 private:
  using Pair = std::pair<std::string_view, std::string_view>;

  explicit SubwordNmt(std::string_view file) : file_(file) {}

  // The place of a pair in the list, or -1.
  int RankOf(const Pair& pair) const;

  const std::string file_;
  bool end_is_piece_ = false;  // at first: version 0.1
  // Views of file_. Not one of Abseil's maps: they are broken where memory runs out, even to be
  // destroyed.
  std::unordered_map<Pair, int, absl::Hash<Pair>> ranks_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_SUBWORD_NMT_H_

#include "tokenizer/subword_nmt.h"

#include <unicode/utf8.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <queue>
#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid::internal {
namespace {

constexpr std::string_view kEndOfWord = "</w>";
constexpr std::string_view kVersion = "#version:";

// Removes the first line from `text` and returns it, trimmed as subword-nmt does.
std::string_view TakeLine(std::string_view& text) {
  const size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
  while (line.starts_with('\r') || line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

// Merges the pieces of a word; all positions are in bytes.
class Joining {
 public:
  // Neighbours that a merge joins: [begin, middle) and [middle, end).
  struct Candidate {
    int rank = 0;
    size_t begin = 0;
    size_t middle = 0;
    size_t end = 0;
    // By order in the list, then from left to right.
    friend bool operator>(const Candidate& a, const Candidate& b) {
      return std::tie(a.rank, a.begin) > std::tie(b.rank, b.begin);
    }
  };
  using RankOf = std::function<int(std::string_view left, std::string_view right)>;

  // Starts with the pieces of `text` that end at `ends`.
  Joining(std::string_view text, const std::vector<size_t>& ends, RankOf rank_of)
      : text_(text), rank_of_(std::move(rank_of)), ends_(text.size() + 1), begins_(ends_) {
    size_t begin = 0;
    for (const size_t end : ends) {
      ends_[begin] = end;
      begins_[end] = begin;
      if (begin > 0) Consider(begin);
      begin = end;
    }
  }

  // Returns where the pieces end.
  std::vector<size_t> Run();

 private:
  // Adds the pieces before and after `middle` as a candidate if they can be merged.
  void Consider(size_t middle);

  const std::string_view text_;
  const RankOf rank_of_;
  std::vector<size_t> ends_;    // [byte]: end of the piece that begins here; 0: none
  std::vector<size_t> begins_;  // [byte]: begin of the piece that ends here
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates_;
};

void Joining::Consider(size_t middle) {
  const size_t begin = begins_[middle];
  const size_t end = ends_[middle];
  const int rank =
      rank_of_(text_.substr(begin, middle - begin), text_.substr(middle, end - middle));
  if (rank >= 0) candidates_.push({rank, begin, middle, end});
}

std::vector<size_t> Joining::Run() {
  while (!candidates_.empty()) {
    // subword-nmt joins all pairs of a merge before it looks for the next one.
    std::vector<ByteRange> joined;
    for (const int rank = candidates_.top().rank;
         !candidates_.empty() && candidates_.top().rank == rank; candidates_.pop()) {
      const auto& [_, begin, middle, end] = candidates_.top();
      if (ends_[begin] != middle || ends_[middle] != end) continue;  // one was merged meanwhile
      ends_[begin] = end;
      ends_[middle] = 0;
      begins_[end] = begin;
      joined.push_back({begin, end});
    }
    for (const ByteRange& piece : joined) {
      if (piece.begin > 0) Consider(piece.begin);
      if (piece.end < text_.size()) Consider(piece.end);
    }
  }
  std::vector<size_t> ends;
  for (size_t at = 0; at < text_.size(); at = ends_[at]) ends.push_back(ends_[at]);
  return ends;
}

}  // namespace

absl::StatusOr<std::shared_ptr<const SubwordNmt>> SubwordNmt::Parse(std::string_view file) {
  if (!IsValidUtf8(file)) return absl::InvalidArgumentError("the merges are not valid UTF-8");
  if (file.size() > INT32_MAX) return absl::InvalidArgumentError("the merges are above 2 GB");
  std::shared_ptr<SubwordNmt> made(new SubwordNmt(file));
  std::string_view rest = made->file_;
  int line = 0;
  made->end_is_piece_ = !rest.starts_with(kVersion);
  if (!made->end_is_piece_) {
    const std::string_view first = TakeLine(rest);
    ++line;
    std::string_view version = first.substr(first.find_last_of(": ") + 1);
    while (version.ends_with(".0")) version.remove_suffix(2);
    made->end_is_piece_ = version == "0.1";
    if (version != "0.1" && version != "0.2") {
      return absl::InvalidArgumentError(
          "line 1 of the merges: expected \"#version: 0.2\", \"#version: 0.1\" or a merge");
    }
  }
  while (rest.ends_with('\n')) rest.remove_suffix(1);
  do {
    ++line;
    const std::string_view merge = TakeLine(rest);
    const size_t space = merge.find(' ');
    if (space == std::string_view::npos || merge.find(' ', space + 1) != std::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat(
          "line ", line, " of the merges: expected two pieces with one space between them"));
    }
    made->ranks_.try_emplace({merge.substr(0, space), merge.substr(space + 1)}, line);
  } while (!rest.empty());
  return made;
}

int SubwordNmt::RankOf(const Pair& pair) const {
  const auto found = ranks_.find(pair);
  return found == ranks_.end() ? -1 : found->second;
}

std::vector<ByteRange> SubwordNmt::Cut(std::string_view word) const {
  assert(!word.empty());
  std::string text(word);
  text += kEndOfWord;
  std::vector<size_t> ends;
  for (size_t at = 0; at < word.size();) {
    U8_FWD_1(word, at, word.size());
    ends.push_back(at);
  }
  if (!end_is_piece_) ends.pop_back();
  ends.push_back(text.size());
  Joining joining(text, ends, [this](std::string_view left, std::string_view right) {
    return RankOf({left, right});
  });
  std::vector<ByteRange> pieces;
  size_t begin = 0;
  for (const size_t end : joining.Run()) {
    if (begin < word.size()) pieces.push_back({begin, std::min(end, word.size())});
    begin = end;
  }
  return pieces;
}

}  // namespace limpid::internal

#include "tokenizer/subword_tokenizer.h"

#include <algorithm>
#include <cstddef>
#include <vector>

#include "absl/strings/str_replace.h"
#include "tokenizer/moses.h"
#include "tokenizer/rewritten_text.h"

namespace limpid::internal {
namespace {

// A copied piece as Moses' tokenizer would have written it.
std::string AsToken(const Tokenizer::Copy& copy) {
  std::string token = absl::StrReplaceAll(copy.text, {{"&", "&amp;"}});
  if (copy.piece.ends_with(kContinues)) token += kContinues;
  return token;
}

}  // namespace

Pieces SubwordTokenizer::Split(std::string_view text, Side side) const {
  const RewrittenText tokens =
      MosesTokenize(text, side == Side::kSource ? source_language_ : target_language_);
  const std::string_view words = tokens.text();
  Pieces pieces;
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = words.substr(at, end - at);
    for (const ByteRange& part : merges_->Cut(word)) {
      std::string piece(part.In(word));
      if (part.end < word.size()) piece += kContinues;
      const ByteRange range = tokens.InOriginal({at + part.begin, at + part.end});
      const int id = vocabulary(side).TextId(piece);
      pieces.Add(id, std::move(piece), range);
    }
    at = end + 1;
  }
  return pieces;
}

std::string SubwordTokenizer::DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                                           Pieces* pieces) const {
  std::string tokens;
  std::vector<ByteRange> ranges;  // in `tokens`
  for (size_t i = 0; i < ids.size(); ++i) {
    std::string token = target().IsSpecial(ids[i]) ? "" : target().piece(ids[i]);
    if (IsCopy(copies, i)) token = AsToken(copies[i]);
    std::string_view piece = token;
    const bool ends_word = !piece.empty() && !piece.ends_with(kContinues);
    if (piece.ends_with(kContinues)) piece.remove_suffix(kContinues.size());
    ranges.push_back({tokens.size(), tokens.size() + piece.size()});
    tokens += piece;
    if (ends_word) tokens += ' ';
  }
  const RewrittenText text = MosesDetokenize(tokens, target_language_);
  if (pieces == nullptr) return text.text();

  *pieces = {};
  size_t end = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const ByteRange range = ranges[i].empty() ? ByteRange{end, end} : text.InText(ranges[i]);
    pieces->Add(ids[i], target().piece(ids[i]), range);
    end = range.end;
  }
  return text.text();
}

std::string SubwordTokenizer::TargetSpelling(int id) const {
  if (target().IsSpecial(id)) return "";
  std::string_view piece = target().piece(id);
  if (piece.ends_with(kContinues)) piece.remove_suffix(kContinues.size());
  if (piece.find_first_of("&@") == std::string_view::npos) return Spelling(piece);
  return Spelling(MosesDetokenize(piece, target_language_).text());  // "&apos;"
}

// Moses' detokenizer moves spaces, so they do not count.
std::string SubwordTokenizer::Spelling(std::string_view text) const {
  std::string spelling(text);
  std::erase(spelling, ' ');
  return spelling;
}

}  // namespace limpid::internal

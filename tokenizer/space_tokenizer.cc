#include "tokenizer/space_tokenizer.h"

#include <algorithm>
#include <cstddef>

namespace limpid::internal {

std::string SpaceTokenizer::DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                                         Pieces* pieces) const {
  if (pieces != nullptr) *pieces = {};
  std::string text;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string& piece = target().piece(ids[i]);
    std::string_view spoken = target().IsSpecial(ids[i]) ? std::string_view() : piece;
    if (IsCopy(copies, i)) spoken = copies[i].text;
    if (!spoken.empty() && !text.empty()) text += ' ';
    text += spoken;
    if (pieces == nullptr) continue;
    pieces->Add(ids[i], piece, {text.size() - spoken.size(), text.size()});
  }
  return text;
}

Pieces SpaceTokenizer::Split(std::string_view text, Side side) const {
  constexpr std::string_view kSpaces = " \t";
  Pieces pieces;
  size_t begin = text.find_first_not_of(kSpaces);
  while (begin != std::string_view::npos) {
    const size_t end = std::min(text.find_first_of(kSpaces, begin), text.size());
    const std::string_view piece = text.substr(begin, end - begin);
    pieces.Add(vocabulary(side).TextId(piece), std::string(piece), {begin, end});
    begin = text.find_first_not_of(kSpaces, end);
  }
  return pieces;
}

}  // namespace limpid::internal

#include "tokenizer/rewritten_text.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

namespace limpid::internal {

RewrittenText::RewrittenText(std::string_view original) : text_(original) {
  origins_.reserve(text_.size());
  for (size_t i = 0; i < text_.size(); ++i) origins_.push_back({i, i + 1});
}

void RewrittenText::Append(const RewrittenText& other, ByteRange range) {
  text_ += range.In(other.text_);
  const auto origins = other.origins_.begin();
  origins_.insert(origins_.end(), origins + static_cast<std::ptrdiff_t>(range.begin),
                  origins + static_cast<std::ptrdiff_t>(range.end));
}

void RewrittenText::Apply(absl::Span<const Edit> edits) {
  if (edits.empty()) return;
  RewrittenText edited;
  size_t at = 0;
  for (const Edit& edit : edits) {
    assert(at <= edit.range.begin && edit.range.end <= text_.size());
    edited.Append(*this, {at, edit.range.begin});
    edited.text_ += edit.with;
    edited.origins_.insert(edited.origins_.end(), edit.with.size(), InOriginal(edit.range));
    at = edit.range.end;
  }
  edited.Append(*this, {at, text_.size()});
  *this = std::move(edited);
}

ByteRange RewrittenText::InOriginal(ByteRange range) const {
  if (!range.empty()) return {origins_[range.begin].begin, origins_[range.end - 1].end};
  const size_t at = range.begin == 0 ? 0 : origins_[range.begin - 1].end;
  return {at, at};
}

ByteRange RewrittenText::InText(ByteRange range) const {
  const auto begin =
      std::partition_point(origins_.begin(), origins_.end(),
                           [&](const ByteRange& origin) { return origin.end <= range.begin; });
  const auto end = std::partition_point(
      begin, origins_.end(), [&](const ByteRange& origin) { return origin.begin < range.end; });
  return {static_cast<size_t>(begin - origins_.begin()),
          static_cast<size_t>(end - origins_.begin())};
}

}  // namespace limpid::internal

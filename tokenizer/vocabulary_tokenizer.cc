#include "tokenizer/vocabulary_tokenizer.h"

#include <vector>

#include "tokenizer/code_points.h"
#include "tokenizer/rewritten_text.h"

namespace limpid::internal {
namespace {

// Removes invisible code points that the vocabulary does not have: a soft hyphen would keep the
// model from a word that it knows. Those within an emoji stay.
RewrittenText WithoutIgnorables(std::string_view text, const Vocabulary& vocabulary) {
  std::vector<RewrittenText::Edit> edits;
  ByteRange emoji;  // the last one, with its modifiers
  ForEachBeyondAscii(text, [&](UChar32 c, ByteRange range) {
    const bool of_emoji = !emoji.empty() && emoji.end == range.begin;
    if (!IsIgnorable(c)) {
      const bool is_emoji = u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) != 0 ||
                            u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) != 0;
      if (is_emoji) emoji = range;
    } else if (of_emoji) {
      emoji.end = range.end;
    } else if (!vocabulary.HasIgnorable(c)) {
      edits.push_back({range, ""});
    }
  });
  RewrittenText rewritten(text);
  rewritten.Apply(edits);
  return rewritten;
}

bool HasIgnorables(std::string_view text) {
  bool has = false;
  ForEachBeyondAscii(text, [&](UChar32 c, ByteRange) { has = has || IsIgnorable(c); });
  return has;
}

}  // namespace

std::string WithSingleSpaces(std::string_view text) {
  std::string single;
  for (const char c : text) {
    if (c != ' ' || !single.ends_with(' ')) single += c;
  }
  return single;
}

Pieces VocabularyTokenizer::SplitSource(std::string_view text) const {
  const size_t code_size = LanguageCodeSize(text);
  Pieces pieces = SplitVisible(text.substr(code_size), Side::kSource);
  if (code_size > 0) {
    for (ByteRange& range : pieces.ranges) {
      range = {range.begin + code_size, range.end + code_size};
    }
    const std::string code(text.substr(0, code_size));
    pieces.PutFirst(source_->Id(code), code, {0, code_size});
  }
  return pieces;
}

void VocabularyTokenizer::AddSourceSpecialTokens(ByteRange text, Pieces& pieces) const {
  const int bos_id = source_->bos_id();
  const int eos_id = source_->eos_id();
  if (bos_id >= 0) pieces.PutFirst(bos_id, source_->piece(bos_id), {text.begin, text.begin});
  if (eos_id >= 0) pieces.Add(eos_id, source_->piece(eos_id), {text.end, text.end});
}

Pieces VocabularyTokenizer::EncodeTarget(std::string_view text) const {
  Pieces pieces = SplitVisible(text, Side::kTarget);
  const int eos_id = target_->eos_id();
  pieces.Add(eos_id, target_->piece(eos_id), {text.size(), text.size()});
  return pieces;
}

Pieces VocabularyTokenizer::SplitVisible(std::string_view text, Side side) const {
  if (!HasIgnorables(text)) return Split(text, side);
  const RewrittenText read = WithoutIgnorables(text, vocabulary(side));
  Pieces pieces = Split(read.text(), side);
  for (ByteRange& range : pieces.ranges) range = read.InOriginal(range);
  return pieces;
}

size_t VocabularyTokenizer::LanguageCodeSize(std::string_view text) const {
  if (!text.starts_with(">>")) return 0;
  const size_t end = text.find("<<");
  if (end == std::string_view::npos) return 0;
  const std::string_view code = text.substr(0, end + 2);
  return IsLanguageCode(code) && source_->Has(code) ? code.size() : 0;
}

}  // namespace limpid::internal

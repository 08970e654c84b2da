// Text that is rewritten step by step and maps each of its bytes to bytes of the original.

#ifndef LIMPID_TOKENIZER_REWRITTEN_TEXT_H_
#define LIMPID_TOKENIZER_REWRITTEN_TEXT_H_

#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "tokenizer/text.h"

namespace limpid::internal {

class RewrittenText {
 public:
  explicit RewrittenText(std::string_view original);

  const std::string& text() const { return text_; }

  // Bytes of text() and their replacement.
  struct Edit {
    ByteRange range;
    std::string with;
  };

  // Applies all edits at once; they are in order and do not overlap. Each byte of a replacement
  // maps to everything that the replaced bytes mapped to: nothing for an insertion.
  void Apply(absl::Span<const Edit> edits);

  // The bytes of the original that text()[range] maps to.
  ByteRange InOriginal(ByteRange range) const;

  // The bytes of text() that map into original[range], which is not empty. Empty if none are left.
  ByteRange InText(ByteRange range) const;

 private:
  RewrittenText() = default;

  // Appends bytes of another text with their origins.
  void Append(const RewrittenText& other, ByteRange range);

  std::string text_;
  std::vector<ByteRange> origins_;  // of each byte of text_
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_REWRITTEN_TEXT_H_

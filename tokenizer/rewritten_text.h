// Text under rewriting that remembers which bytes of the original text each of its bytes stands
// for.

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

  // Bytes of text() and what is to stand in their place.
  struct Edit {
    ByteRange range;
    std::string with;
  };

  // Makes all edits at once; they come in order and do not overlap. Each byte of an edit's new text
  // stands for all that the old bytes stood for: nothing, where there were none.
  void Apply(absl::Span<const Edit> edits);

  // The bytes of the original that text()[range] stands for.
  ByteRange InOriginal(ByteRange range) const;

  // The bytes of text() that stand for some of original[range]. `range` is not empty; the result
  // is, where nothing is left.
  ByteRange InText(ByteRange range) const;

 private:
  RewrittenText() = default;

  // Appends bytes of another text, each of which stands for what it stood for there.
  void Append(const RewrittenText& other, ByteRange range);

  std::string text_;
  std::vector<ByteRange> origins_;  // of each byte of text_
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_REWRITTEN_TEXT_H_

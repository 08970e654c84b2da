// A text inside the engine: the segments to translate and the text between them.

#ifndef LIMPID_ENGINE_TEXT_DOCUMENT_H_
#define LIMPID_ENGINE_TEXT_DOCUMENT_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/search/decoding.h"
#include "engine/trace/tracer.h"
#include "tokenizer/text.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// A given translation to score.
struct GivenTranslation {
  std::string text;
  Pieces pieces;  // of `text`, with </s>
};

// The unit of translation: a sentence, or part of one that is too long for the model. Ranges are
// bytes of Document::text.
struct Segment {
  ByteRange text;
  Pieces source;                 // with special tokens
  std::vector<ByteRange> words;  // only if a trace was requested
  bool starts_text = false;      // the first segment of its text
  size_t text_index = 0;         // index of its text in the call
  std::optional<GivenTranslation> given;
  Hypothesis hypothesis;  // the translation, found or given
  Hypotheses nbest;       // if several were requested; the first equals `hypothesis`
  TeacherForcing forced;  // only if scored or traced
};

struct Document {
  absl::Status status;  // an error if the model cannot take this pair; then there are no segments
  std::string text;     // valid UTF-8
  // The language code of the whole text, and the white space after it.
  ByteRange language_code;
  std::vector<Segment> segments;
  std::vector<ByteRange> copied;  // sentences to copy instead of translating
  bool replaced_invalid_utf8 = false;
  bool unknown_language_code = false;
  int cut_sentences = 0;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_DOCUMENT_H_

// A text on its way through: cut into segments that the model can take, each translated by itself,
// and put together again.

#ifndef LIMPID_ENGINE_TEXT_DOCUMENT_H_
#define LIMPID_ENGINE_TEXT_DOCUMENT_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/search/decoding.h"
#include "engine/trace/tracer.h"
#include "limpid/translator.h"
#include "models/model/config.h"
#include "tokenizer/text.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// A translation that is given, to be scored.
struct GivenTranslation {
  std::string text;
  Pieces pieces;  // of `text`, with </s>
};

// Something to translate: a sentence, or a part of one that is too long for the model. All ranges
// are of the document's text.
struct Segment {
  ByteRange text;
  Pieces source;                 // with </s> and the like
  std::vector<ByteRange> words;  // filled where a trace was asked for
  bool starts_text = false;      // it is the first of its text
  std::optional<GivenTranslation> given;
  Hypothesis hypothesis;  // its translation, filled by search, or given
  Hypotheses nbest;       // several, where they were asked for; hypothesis is the first of them
  TeacherForcing forced;  // filled where a trace was asked for
};

struct Document {
  std::string text;  // mended; there is no other that anything refers to
  // What holds for the whole text and is no part of it: the code of a language, and white space
  // behind it.
  ByteRange language_code;
  std::vector<Segment> segments;
  std::vector<ByteRange> copied;  // sentences between them that the model is not shown
  bool replaced_invalid_utf8 = false;
  bool unknown_language_code = false;
  int cut_sentences = 0;
};

// Text to segments. `text` is any bytes, below 2 GB.
Document Prepare(std::string_view text, const TranslateOptions& options, const ModelConfig& config,
                 const Tokenizer& tokenizer);

// A pair of sentences as a segment. Both are any bytes, below 2 GB.
Document PreparePair(const SentencePair& pair, const TranslateOptions& options,
                     const Tokenizer& tokenizer);

// Segments, once they are translated, to text, with the spacing of the source.
Translation Assemble(Document document, const TranslateOptions& options, const ModelConfig& config,
                     const Tokenizer& tokenizer);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_DOCUMENT_H_

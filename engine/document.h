// A text on its way through: cut into segments that the model can take, each translated by itself,
// and put together again.

#ifndef LIMPID_ENGINE_DOCUMENT_H_
#define LIMPID_ENGINE_DOCUMENT_H_

#include <string>
#include <string_view>
#include <vector>

#include "engine/decoding.h"
#include "engine/tracer.h"
#include "engine/translator.h"
#include "models/config.h"
#include "tokenizer/tokenizer.h"

namespace limpid {

// Something to translate: a sentence, or a part of one that is too long for the model.
struct Segment {
  std::string before;  // what stands between it and the segment before
  std::string text;
  Pieces source;             // of `text`, with </s>
  bool starts_text = false;  // it is the first of its text
  Hypothesis hypothesis;     // its translation, filled by search, or given
  Hypotheses nbest;          // several, where they were asked for; hypothesis is the first of them
  ForcedDecoding forced;     // filled where a trace was asked for
};

struct Document {
  std::vector<Segment> segments;
  std::string after;  // what stands behind the last segment
  bool replaced_invalid_utf8 = false;
  int cut_sentences = 0;
};

// Text to segments. `text` is any bytes, below 2 GB.
Document Prepare(std::string_view text, const TranslateOptions& options, const ModelConfig& config,
                 const Tokenizer& tokenizer);

// Segments, once they are translated, to text, with the spacing of the source.
Translation Assemble(Document document, const TranslateOptions& options, const ModelConfig& config,
                     const Tokenizer& tokenizer);

}  // namespace limpid

#endif  // LIMPID_ENGINE_DOCUMENT_H_

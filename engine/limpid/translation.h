// What Translator returns.

#ifndef LIMPID_TRANSLATION_H_
#define LIMPID_TRANSLATION_H_

#include <string>
#include <vector>

#include "absl/status/status.h"
#include "limpid/trace.h"

namespace limpid {

// One piece of target text.
struct Token {
  std::string piece;  // as in the vocabulary: "▁" is a space before
  int id = 0;
  float log_probability = 0;  // natural logarithm, given the source and the previous tokens
};

// One of several translations of a text.
struct NBestTranslation {
  std::string text;
  double score = 0;
  // What translations are ranked by: in beam search log P / length ^ length_penalty, otherwise
  // `score`. For several sentences, the sum.
  double ranking_score = 0;
  std::vector<Token> tokens;
  // For alternatives: the index in `tokens` of the alternative token; -1 if the translation ends
  // before it.
  int alternative_at = -1;
};

struct Translation {
  // ScoreBatch only: InvalidArgument if this pair could not be scored. Everything else is then
  // empty.
  absl::Status status;

  std::string text;
  // The text that was translated, with invalid UTF-8 replaced. Source positions count its bytes.
  std::string source;
  // log P(text | source), the sum over `tokens`: the model's, independent of the search.
  double score = 0;
  // All tokens of all sentences. Each sentence ends with </s> (or another token of end_at) unless
  // it was cut off.
  std::vector<Token> tokens;

  // If several were requested: best first, starting with this translation; samples in the order in
  // which they were drawn; alternatives by probability.
  std::vector<NBestTranslation> nbest;

  // One per sentence, or per part of a cut one, if a trace was requested.
  std::vector<SentenceTrace> traces;
  // Sentences that were copied, in order.
  std::vector<CopiedText> copies;

  // What the caller may want to report to its user.
  bool replaced_invalid_utf8 = false;  // ill-formed bytes became U+FFFD
  // The text begins with a language code, ">>xx<<", that the model does not have; it was translated
  // as text.
  bool unknown_language_code = false;
  int cut_sentences = 0;         // sentences over the model's limit, translated in several parts
  int unfinished_sentences = 0;  // translations that were cut off, as by max_output_tokens
  int sentences = 0;             // sentences, or parts of cut ones, that were translated
};

// A source text and its translation; to the model, each is one sentence.
struct SentencePair {
  std::string source;
  std::string target;
};

}  // namespace limpid

#endif  // LIMPID_TRANSLATION_H_

// Start here: Limpid's public interface.
//
//   auto translator = limpid::Translator::Load("models/eng-deu");
//   if (!translator.ok()) …
//   auto translation = (*translator)->Translate("I love you very much.");
//   if (translation.ok()) std::cout << translation->text;
//
// What happens to a sentence, in order, is told in translator.cc; the transformer itself is in
// transformer.h.

#ifndef LIMPID_TRANSLATOR_H_
#define LIMPID_TRANSLATOR_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "limpid/compute_type.h"
#include "limpid/search_options.h"
#include "limpid/trace.h"

namespace limpid {

// The most that options and callers may ask for: more is InvalidArgument, before memory is taken
// for it. Those of searching are in search_options.h.
inline constexpr int kMaxThreads = 1024;
inline constexpr int kMaxBatchSize = 10'000;
inline constexpr int kMaxBatchTokens = 100'000;
inline constexpr int kMaxPredictions = 1000;  // TraceRequest::predictions
// Bytes of a text. SentencePiece and ICU count in 31 bits, and a text may grow on its way there:
// threefold where it is not UTF-8, up to thirteenfold where it is normalized.
inline constexpr size_t kMaxTextBytes = 100'000'000;

struct TranslatorOptions {
  // How products with weights are computed, whatever type the model is stored in.
  ComputeType compute_type = ComputeType::kAuto;
  // Threads that translate batches side by side. 0: as many as this process may keep busy, going by
  // its affinity mask and the CPU quota of its container.
  int threads = 0;
  // Whether to produce only tokens that the model's shortlist has for some source token of the
  // batch: faster, and not always the same translation. A sentence's translation then depends a
  // little on its neighbours, and probabilities are of one among those tokens. Loading fails with
  // FailedPrecondition where the model has no shortlist.
  bool shortlist = false;
  // Whether to compare all files with the checksums that `limpid convert` wrote; Load then fails
  // with DataLoss where they differ, and with FailedPrecondition where there are none.
  bool verify = false;
  // Whether to leave out everything that only makes it faster: drafts, the int8 prefilter.
  bool plain = false;
};

struct TranslateOptions {
  // Sentences that are translated together, fewer where they are long; with several hypotheses a
  // sentence, hypotheses. More is faster on many lines and uses more memory.
  int batch_size = 64;
  // Above 0, a batch holds so many source tokens instead, however many sentences that are: batches
  // of long sentences are then as large as those of short ones.
  int batch_tokens = 0;
  // How to search, and what a translation must be like: beam search, sampling, a prefix … A prefix
  // and alternatives concern the first sentence of a text that is translated; the others are
  // translated as usual.
  SearchOptions search = {};
  // Whether a text is cut into sentences, each translated by itself. Models are trained on single
  // sentences, and most drop words from longer text.
  bool split_sentences = true;
  // What to record of each sentence's attention; see trace.h. Translations are the same with and
  // without.
  std::optional<TraceRequest> trace = std::nullopt;
  // Whether <unk>, which stands for no text, becomes a copy of the source text whose piece it is
  // aligned with (see alignment.h). If a trace is asked for, it must hold the cross-attention.
  bool replace_unknowns = false;
};

// One produced piece of target text.
struct Token {
  std::string piece;  // as the vocabulary has it: "▁" marks a space before
  int id = 0;
  float log_probability = 0;  // natural logarithm, given the source and the tokens before
};

// One of several translations of a text.
struct NBestTranslation {
  std::string text;
  double score = 0;
  // What it is ranked by: in beam search log P / length ^ length_penalty, else `score`; of several
  // sentences, the sum.
  double ranking_score = 0;
  std::vector<Token> tokens;
  // Of alternatives: which of `tokens` stands at the place that was asked for; -1 where the
  // translation ends before it.
  int alternative_at = -1;
};

struct Translation {
  // OK unless a pair could not be scored: InvalidArgument, which says why. All else is then empty.
  absl::Status status;

  std::string text;
  // The text that was translated, as it was read: what was no UTF-8 is mended. Places in the source
  // are counted in its bytes.
  std::string source;
  // log P(text | source): the sum over `tokens`. It is the model's, whatever search found the text.
  double score = 0;
  // All that was produced, sentence after sentence, each ending with </s> (or another token of
  // end_at) unless it was cut off.
  std::vector<Token> tokens;

  // Where more than one was asked for: the best, which is the translation itself, and those after
  // it; samples in the order of drawing; alternatives by their probability.
  std::vector<NBestTranslation> nbest;

  // One a sentence, or part of one, if a trace was asked for.
  std::vector<SentenceTrace> traces;
  // Sentences that came back as they were, in order.
  std::vector<CopiedText> copies;

  // What had to be done to the text, for the caller to tell its user.
  bool replaced_invalid_utf8 = false;  // ill-formed bytes became U+FFFD
  // It begins with the code of a language, ">>xx<<", that the model does not have: so it is text.
  bool unknown_language_code = false;
  int cut_sentences = 0;         // sentences over the model's limit, translated in several parts
  int unfinished_sentences = 0;  // translations stopped at max_output_tokens
  int sentences = 0;             // that the text was translated in, parts of sentences included
};

// A source text and a translation of it, each one sentence to the model.
struct SentencePair {
  std::string source;
  std::string target;
};

// A loaded model. Thread-safe: any number of threads may translate at once. No exception leaves its
// functions: where memory runs out they return ResourceExhausted.
//
// Between calls it keeps the buffers of as many workers as have something to do at a time, each of
// the size of a usual batch; what a larger one took is freed.
class Translator {
 public:
  // Reads a model folder. Fails with NotFound or InvalidArgument, naming the file and what is wrong
  // with it, and with Unimplemented where this processor does not have the compute type.
  static absl::StatusOr<std::unique_ptr<Translator>> Load(const std::string& model_folder,
                                                          const TranslatorOptions& options = {});
  virtual ~Translator() = default;

  // Translates one text of up to kMaxTextBytes, of any bytes. White space around and between its
  // sentences is kept; a text of white space only comes back as it is, and so does a sentence
  // without a letter that the model knows: marks and numbers alone, or a script that it has never
  // seen (where the model's vocabulary has no letters, one with anything unknown). A language's
  // code at the beginning, which multilingual models have, holds for all sentences and does not
  // come back. Fails with InvalidArgument on options that make no sense, and for no text.
  absl::StatusOr<Translation> Translate(std::string_view text,
                                        const TranslateOptions& options = {}) const;

  // Translates many texts; the result has one translation a text, in order. The translation of a
  // text does not depend on the others: the same tokens, and scores that agree within 1e-4; but see
  // TranslatorOptions::shortlist.
  virtual absl::StatusOr<std::vector<Translation>> TranslateBatch(
      absl::Span<const std::string> texts, const TranslateOptions& options = {}) const = 0;

  // What the model makes of translations that it is given: their tokens with log-probabilities,
  // </s> included, and traces if asked for ("teacher forcing"). The result has one translation a
  // pair, in order. Sentences are not split, and search options do not matter. A pair that the
  // model cannot take, for its length or because its source is empty, has that status and keeps no
  // other from its score.
  virtual absl::StatusOr<std::vector<Translation>> ScoreBatch(
      absl::Span<const SentencePair> pairs, const TranslateOptions& options = {}) const = 0;
};

}  // namespace limpid

#endif  // LIMPID_TRANSLATOR_H_

// Options of one call to Translator, and their limits. search_options.h says how to search.

#ifndef LIMPID_TRANSLATE_OPTIONS_H_
#define LIMPID_TRANSLATE_OPTIONS_H_

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <stop_token>

#include "limpid/search_options.h"
#include "limpid/trace.h"

namespace limpid {

struct Translation;

// Larger values are rejected with InvalidArgument before any memory is allocated for them.
inline constexpr int kMaxBatchSize = 10'000;
inline constexpr int kMaxBatchTokens = 100'000;
inline constexpr int kMaxPredictions = 1000;  // TraceRequest::predictions
// Maximum bytes of a text. SentencePiece and ICU count in 31 bits, and text may grow before it
// reaches them: threefold if it is not UTF-8, up to thirteenfold when it is normalized.
inline constexpr size_t kMaxTextBytes = 100'000'000;

struct TranslateOptions {
  // Maximum sentences per batch, or hypotheses if a sentence has several. Batches of long sentences
  // are smaller. Larger batches are faster on many lines and use more memory.
  int batch_size = 64;
  // If above 0, maximum source tokens per batch, instead of batch_size: batches of long and of
  // short sentences then have the same size.
  int batch_tokens = 0;
  // Beam search, sampling, a prefix … The prefix and alternatives apply only to the first
  // translated sentence of a text.
  SearchOptions search = {};
  // Whether to split a text into sentences and translate each separately. Models are trained on
  // single sentences; most drop words from longer text.
  bool split_sentences = true;
  // Which attention to record; see trace.h. Does not change translations.
  std::optional<TraceRequest> trace = std::nullopt;
  // Whether to replace <unk>, which has no text, with the source text that it is aligned with (see
  // alignment.h). A trace request must then include all cross-attention.
  bool replace_unknowns = false;

  // --- Ending a call early. Checked after each text is split, before each batch, and before each
  // decoder step of a search (every dozen steps if a sentence is alone in its batch); not within
  // a tracing or scoring run.

  // When a stop is requested, the call returns Cancelled.
  std::stop_token stop = {};
  // At this time the call returns DeadlineExceeded.
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();

  // --- Results before the call returns.

  // Called once for each text (or pair) as soon as it is finished, with its index; the order is
  // arbitrary. Calls never overlap. They run on the calling thread or on one of the thread pool and
  // delay translation: hand the result over and return. `translation` is valid only during the
  // call; it is also part of the returned result. Results delivered before an error are complete.
  // An exception ends the translation with an Internal error.
  std::function<void(size_t index, const Translation& translation)> on_result = {};
};

}  // namespace limpid

#endif  // LIMPID_TRANSLATE_OPTIONS_H_

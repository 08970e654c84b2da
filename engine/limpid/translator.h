// Start here: Limpid's public interface.
//
//   auto translator = limpid::Translator::Load("models/eng-deu");
//   if (!translator.ok()) …
//   auto translation = (*translator)->Translate("I love you very much.");
//   if (translation.ok()) std::cout << translation->text;
//
// translator.cc shows a sentence's way through the engine; transformer.h is the transformer.

#ifndef LIMPID_TRANSLATOR_H_
#define LIMPID_TRANSLATOR_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "limpid/compute_type.h"
#include "limpid/export.h"
#include "limpid/thread_pool.h"
#include "limpid/translate_options.h"
#include "limpid/translation.h"

namespace limpid {

// Options of a loaded model.
struct TranslatorOptions {
  // The type of matrix products with weights, whatever type the weights are stored in.
  ComputeType compute_type = ComputeType::kAuto;
  // Number of threads that translate batches side by side, including the caller. 0: as many as this
  // process can keep busy, according to its affinity mask and its container's CPU quota.
  int threads = 0;
  // Whether to produce only tokens that the model's shortlist lists for the batch's source tokens:
  // faster, but now and then another translation, which depends slightly on the other sentences of
  // the batch. Probabilities are relative to the listed tokens. Loading fails with
  // FailedPrecondition if the model has no shortlist.
  bool shortlist = false;
  // Whether to compare all files with the checksums that `limpid convert` wrote. Loading then fails
  // with DataLoss if they differ, and with FailedPrecondition if there are none.
  bool verify = false;
  // Whether to leave out what only makes translating faster: drafts, the int8 prefilter, the argmax
  // that is fused into the output layer, panels and huge pages. The translations are the same.
  bool plain = false;
  // A pool to share with other translators, in place of an own one of `threads` threads.
  std::shared_ptr<ThreadPool> thread_pool = nullptr;
};

// What is known of a loaded model.
struct ModelInfo {
  std::string source_language;  // as the model names it ("eng"), or empty
  std::string target_language;
  int source_vocab_size = 0;
  int target_vocab_size = 0;
  std::string tokenizer;  // "sentencepiece", … as in models/FORMAT.md
  bool has_shortlist = false;
  int max_positions = 0;      // maximum tokens of a translation, special tokens included
  int max_source_tokens = 0;  // longer sentences are translated in parts
  int model_dim = 0;
  int encoder_layers = 0;
  int decoder_layers = 0;
  int encoder_heads = 0;
  int decoder_heads = 0;
  std::string stored_type;  // of the matrices: "float32", "float16", "bfloat16" or "int8"
  ComputeType compute_type = ComputeType::kFloat32;  // in use; never kAuto
};

// A loaded model. All const methods are thread-safe. No exception leaves any method: when memory
// runs out, they return ResourceExhausted. A moved-from translator can only be assigned to or
// destroyed.
//
// Between calls it keeps buffers for as many batches as it has threads (or the process has
// processors, if more), each up to twice the size of a default batch. Larger ones are freed when
// their call ends; Trim() frees the rest.
class LIMPID_EXPORT Translator final {
 public:
  // Loads a model folder. Uses up to three threads. Fails with NotFound or InvalidArgument, naming
  // the file and what is wrong with it, and with Unimplemented if this processor does not support
  // the compute type.
  static absl::StatusOr<std::unique_ptr<Translator>> Load(const std::string& model_folder,
                                                          const TranslatorOptions& options = {});

  // The same for a folder in memory: file names, such as "config.json", and the files' bytes. The
  // bytes must outlive the translator: aligned tensors are not copied.
  static absl::StatusOr<std::unique_ptr<Translator>> LoadFromMemory(
      const std::map<std::string, std::string_view>& files, const TranslatorOptions& options = {});

  Translator(Translator&& other) noexcept;
  Translator& operator=(Translator&& other) noexcept;
  ~Translator();

  const ModelInfo& info() const;

  // Translates one text: any bytes, at most kMaxTextBytes. Keeps the white space around and between
  // sentences. Copies sentences without a letter that the model knows, such as numbers,
  // punctuation or another script (if the vocabulary has no letters: sentences with anything
  // unknown). A language code at the beginning, for multilingual models, applies to all sentences
  // and is not part of the translation. Fails with InvalidArgument on invalid options
  // or a longer text, and with Cancelled or DeadlineExceeded as TranslateOptions says. No other
  // text fails.
  absl::StatusOr<Translation> Translate(std::string_view text,
                                        const TranslateOptions& options = {}) const;

  // Translates many texts; returns one translation per text, in order. A text's translation does
  // not depend on the other texts: the tokens are the same, and scores agree within 1e-4. See
  // TranslatorOptions::shortlist for the exception.
  absl::StatusOr<std::vector<Translation>> TranslateBatch(
      absl::Span<const std::string> texts, const TranslateOptions& options = {}) const;

  // Scores given translations (teacher forcing): returns their tokens with log-probabilities, </s>
  // included, and traces if requested, one translation per pair, in order. Does not split
  // sentences; ignores search options. If the model cannot take a pair, because it is too long or
  // its source is empty, only that pair's Translation::status is an error.
  absl::StatusOr<std::vector<Translation>> ScoreBatch(absl::Span<const SentencePair> pairs,
                                                      const TranslateOptions& options = {}) const;

  // Frees the buffers that are kept for later calls. The next calls allocate them again.
  void Trim() const;

  // Internal; see engine/make_translator.h.
  class LIMPID_HIDDEN Impl;
  explicit Translator(std::unique_ptr<Impl> impl);

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limpid

#endif  // LIMPID_TRANSLATOR_H_

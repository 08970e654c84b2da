// What happens to a text, in order:
//
//   Prepare   text → sentences → pieces → ids, long sentences cut        tokenizer/
//   Group     sentences of like length into batches
//   Search    ids → target ids                                           search.h, transformer.h
//   Assemble  target ids → pieces → text, with the spacing of the source

#include "engine/translator.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <new>
#include <numeric>
#include <thread>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/search.h"
#include "models/checkpoint.h"
#include "tokenizer/text.h"
#include "tokenizer/tokenizer.h"

namespace limpid {
namespace {

// The most source tokens that are translated together, however short the sentences: it bounds the
// memory of a batch.
constexpr int kMostBatchTokens = 4096;

// Something to translate: a sentence, or a part of one that is too long for the model.
struct Segment {
  std::vector<int> ids;   // with </s>
  std::string before;     // what stands between it and the segment before
  Hypothesis hypothesis;  // its translation
};

// One text on its way through.
struct Document {
  std::vector<Segment> segments;
  std::string after;  // what stands behind the last segment
  bool replaced_invalid_utf8 = false;
  int cut_sentences = 0;
};

// Runs `work`, which may throw what oneDNN and the standard library throw, and says what went
// wrong.
template <typename Work>
absl::Status WithoutExceptions(const Work& work) {
  try {
    work();
    return absl::OkStatus();
  } catch (const std::bad_alloc&) {
    return absl::ResourceExhaustedError(
        "out of memory: translate fewer sentences at a time (batch_size), or use a smaller model");
  } catch (const std::exception& error) {
    return absl::InternalError(absl::StrCat("oneDNN failed: ", error.what()));
  }
}

absl::Status CheckOptions(const TranslateOptions& options) {
  if (options.batch_size < 1) {
    return absl::InvalidArgumentError(
        absl::StrCat("batch_size must be at least 1, not ", options.batch_size));
  }
  if (options.max_output_tokens < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("max_output_tokens must be 0 (no limit but the model's) or more, not ",
                     options.max_output_tokens));
  }
  return absl::OkStatus();
}

int ThreadsFor(const TranslatorOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

class ModelTranslator : public Translator {
 public:
  ModelTranslator(Transformer transformer, std::unique_ptr<Tokenizer> tokenizer, int threads)
      : transformer_(std::move(transformer)), tokenizer_(std::move(tokenizer)), threads_(threads) {}

  absl::StatusOr<std::vector<Translation>> TranslateBatch(
      absl::Span<const std::string> texts, const TranslateOptions& options) const override;

 private:
  using Batch = std::vector<Segment*>;

  Document Prepare(std::string_view text, const TranslateOptions& options) const;
  void AddSentence(std::string_view before, std::string_view sentence, Document& document) const;
  std::vector<Batch> Group(std::vector<Document>& documents, int batch_size) const;
  absl::Status Search(absl::Span<const Batch> batches, const SearchOptions& options) const;
  Translation Assemble(const Document& document) const;

  std::unique_ptr<Searcher> TakeSearcher() const;
  void ReturnSearcher(std::unique_ptr<Searcher> searcher) const;

  const Transformer transformer_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  const int threads_;
  mutable std::mutex mutex_;
  mutable std::vector<std::unique_ptr<Searcher>> idle_searchers_;  // guarded by mutex_
};

absl::StatusOr<std::vector<Translation>> ModelTranslator::TranslateBatch(
    absl::Span<const std::string> texts, const TranslateOptions& options) const {
  if (absl::Status status = CheckOptions(options); !status.ok()) return status;
  std::vector<Translation> translations;
  absl::Status searched;
  absl::Status status = WithoutExceptions([&] {
    std::vector<Document> documents;
    documents.reserve(texts.size());
    for (const std::string& text : texts) documents.push_back(Prepare(text, options));
    searched = Search(Group(documents, options.batch_size),
                      {.max_output_tokens = options.max_output_tokens});
    if (!searched.ok()) return;
    translations.reserve(texts.size());
    for (const Document& document : documents) translations.push_back(Assemble(document));
  });
  status.Update(searched);
  if (!status.ok()) return status;
  return translations;
}

Document ModelTranslator::Prepare(std::string_view text, const TranslateOptions& options) const {
  Document document;
  std::string valid;
  if (!IsValidUtf8(text)) {
    document.replaced_invalid_utf8 = true;
    valid = ReplaceInvalidUtf8(text);
    text = valid;
  }
  std::vector<ByteRange> sentences;
  if (options.split_sentences) {
    sentences = SplitSentences(text, transformer_.config().source_language);
  } else if (const ByteRange all = TrimWhiteSpace(text); !all.empty()) {
    sentences.push_back(all);
  }
  size_t done = 0;
  for (const ByteRange& sentence : sentences) {
    AddSentence(text.substr(done, sentence.begin - done), sentence.In(text), document);
    done = sentence.end;
  }
  document.after += text.substr(done);
  return document;
}

// Adds a sentence to a document, in parts where the model cannot take it whole.
void ModelTranslator::AddSentence(std::string_view before, std::string_view sentence,
                                  Document& document) const {
  document.after += before;
  Pieces pieces = tokenizer_->EncodeSource(sentence);
  const int eos = pieces.ids.back();
  pieces.ids.pop_back();
  pieces.texts.pop_back();
  if (pieces.ids.empty()) {  // nothing that the model could translate, such as control characters
    document.after += sentence;
    return;
  }
  const size_t most_pieces = transformer_.config().max_positions - 1;
  const std::vector<size_t> ends = CutLongSentence(pieces.texts, most_pieces);
  if (ends.size() > 1) ++document.cut_sentences;
  size_t begin = 0;
  for (const size_t end : ends) {
    Segment segment;
    segment.before = std::exchange(document.after, "");
    if (begin > 0) {
      const size_t gap = pieces.ranges[begin - 1].end;
      segment.before += sentence.substr(gap, pieces.ranges[begin].begin - gap);
    }
    segment.ids.assign(pieces.ids.begin() + begin, pieces.ids.begin() + end);
    segment.ids.push_back(eos);
    document.segments.push_back(std::move(segment));
    begin = end;
  }
}

// Batches of sentences of like length, the longest first: they take longest, and a worker that gets
// one last would keep the others waiting.
std::vector<ModelTranslator::Batch> ModelTranslator::Group(std::vector<Document>& documents,
                                                           int batch_size) const {
  std::vector<Segment*> segments;
  for (Document& document : documents) {
    for (Segment& segment : document.segments) segments.push_back(&segment);
  }
  std::stable_sort(segments.begin(), segments.end(), [](const Segment* a, const Segment* b) {
    return a->ids.size() > b->ids.size();
  });
  std::vector<Batch> batches;
  size_t tokens = 0;
  for (Segment* segment : segments) {
    tokens += segment->ids.size();
    const bool full = batches.empty() || batches.back().size() == static_cast<size_t>(batch_size) ||
                      tokens > kMostBatchTokens;
    if (full) {
      batches.emplace_back();
      tokens = segment->ids.size();
    }
    batches.back().push_back(segment);
  }
  return batches;
}

// Translates all batches, on as many threads as there is work for; the calling thread is one of
// them.
absl::Status ModelTranslator::Search(absl::Span<const Batch> batches,
                                     const SearchOptions& options) const {
  std::atomic<size_t> next_batch{0};
  std::mutex mutex;
  absl::Status status;  // guarded by mutex until the threads are joined
  const auto work = [&] {
    absl::Status worked = WithoutExceptions([&] {
      const SingleThreadScope single_thread;
      std::unique_ptr<Searcher> searcher = TakeSearcher();
      SourceBatch source;
      for (size_t i = next_batch++; i < batches.size(); i = next_batch++) {
        source.Clear();
        for (const Segment* segment : batches[i]) source.Add(segment->ids);
        const std::vector<Hypothesis>& found = searcher->Greedy(source, options);
        for (size_t s = 0; s < batches[i].size(); ++s) batches[i][s]->hypothesis = found[s];
      }
      ReturnSearcher(std::move(searcher));
    });
    if (!worked.ok()) next_batch = batches.size();
    const std::lock_guard<std::mutex> lock(mutex);
    status.Update(worked);
  };
  const size_t workers = std::min<size_t>(threads_, batches.size());
  std::vector<std::jthread> others;
  for (size_t i = 1; i < workers; ++i) others.emplace_back(work);
  work();
  others.clear();  // joins
  return status;
}

Translation ModelTranslator::Assemble(const Document& document) const {
  Translation translation;
  translation.replaced_invalid_utf8 = document.replaced_invalid_utf8;
  translation.cut_sentences = document.cut_sentences;
  for (const Segment& segment : document.segments) {
    const Hypothesis& found = segment.hypothesis;
    Pieces pieces;
    const std::string text = tokenizer_->DecodeTarget(found.ids, &pieces);
    const bool touches = segment.before.empty() && !translation.text.empty();
    // Chinese puts no space between sentences, English does: "。" needs none behind it, "." one.
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (touches && is_ascii(translation.text.back())) translation.text += ' ';
    translation.text += segment.before;
    translation.text += text;
    for (size_t i = 0; i < found.ids.size(); ++i) {
      translation.tokens.push_back(
          {std::move(pieces.texts[i]), found.ids[i], found.log_probabilities[i]});
      translation.score += found.log_probabilities[i];
    }
    if (found.ids.back() != transformer_.config().target_eos_id) ++translation.unfinished_sentences;
  }
  translation.text += document.after;
  return translation;
}

std::unique_ptr<Searcher> ModelTranslator::TakeSearcher() const {
  const std::lock_guard<std::mutex> lock(mutex_);
  if (idle_searchers_.empty()) return std::make_unique<Searcher>(transformer_);
  std::unique_ptr<Searcher> searcher = std::move(idle_searchers_.back());
  idle_searchers_.pop_back();
  return searcher;
}

void ModelTranslator::ReturnSearcher(std::unique_ptr<Searcher> searcher) const {
  const std::lock_guard<std::mutex> lock(mutex_);
  idle_searchers_.push_back(std::move(searcher));
}

}  // namespace

absl::StatusOr<Translation> Translator::Translate(std::string_view text,
                                                  const TranslateOptions& options) const {
  absl::StatusOr<std::vector<Translation>> translations =
      TranslateBatch({std::string(text)}, options);
  if (!translations.ok()) return translations.status();
  return std::move(translations->front());
}

absl::StatusOr<std::unique_ptr<Translator>> Translator::Load(const std::string& model_folder,
                                                             const TranslatorOptions& options) {
  if (options.threads < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("threads must be 0 (one a processor) or more, not ", options.threads));
  }
  const ComputeType type =
      options.compute_type == ComputeType::kAuto ? ComputeType::kInt8 : options.compute_type;
  if (!IsSupported(type)) {
    return absl::UnimplementedError(
        "this processor does not compute in bfloat16: use float32, int8 or auto");
  }
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(model_folder);
  if (!checkpoint.ok()) return checkpoint.status();
  const ModelConfig& config = checkpoint->config;
  absl::StatusOr<ModelWeights> weights = BindWeights(config, checkpoint->tensors);
  if (!weights.ok()) return weights.status();
  absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::Create({
      .source_sentencepiece = std::move(checkpoint->source_sentencepiece),
      .target_sentencepiece = std::move(checkpoint->target_sentencepiece),
      .source_vocabulary = std::move(checkpoint->source_vocabulary),
      .target_vocabulary = std::move(checkpoint->target_vocabulary),
      .source_eos_id = config.source_eos_id,
      .source_unk_id = config.source_unk_id,
      .target_eos_id = config.target_eos_id,
      .target_unk_id = config.target_unk_id,
  });
  if (!tokenizer.ok()) {
    return absl::Status(tokenizer.status().code(),
                        absl::StrCat(model_folder, ": ", tokenizer.status().message()));
  }
  std::unique_ptr<Translator> translator;
  absl::Status status = WithoutExceptions([&] {
    const SingleThreadScope single_thread;
    translator =
        std::make_unique<ModelTranslator>(Transformer(*std::move(checkpoint), *weights, type),
                                          *std::move(tokenizer), ThreadsFor(options));
  });
  if (!status.ok()) return status;
  return translator;
}

}  // namespace limpid

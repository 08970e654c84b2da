// What happens to a text, in order:
//
//   Prepare    text → sentences → pieces → ids, long sentences cut        document.h, tokenizer/
//   Group      sentences of like length into batches
//   Translate  ids → target ids                                           search.h, transformer.h
//   Assemble   target ids → pieces → text, with the spacing of the source document.h

#include "limpid/translator.h"

#include <algorithm>
#include <future>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/make_translator.h"
#include "engine/search/count_check.h"
#include "engine/search/search.h"
#include "engine/speed/idle_pool.h"
#include "engine/speed/parallel.h"
#include "engine/speed/processors.h"
#include "engine/text/checkpoint_tokenizer.h"
#include "engine/text/document.h"
#include "engine/text/token_constraints.h"
#include "engine/trace/tracer.h"
#include "limpid/alignment.h"
#include "models/io/file.h"
#include "models/model/checkpoint.h"
#include "models/native/checksum.h"
#include "models/native/native.h"
#include "models/native/shortlist.h"
#include "tokenizer/text.h"
#include "tokenizer/tokenizer.h"

namespace limpid {

using namespace internal;

namespace {

// The most source tokens that are translated together, however short the sentences: it bounds the
// memory of a batch.
constexpr int kMaxTokensTogether = 4096;
// Tokens of a sentence of usual length. A batch of longer ones has fewer.
constexpr int kUsualTokens = 12;

bool RecordsAllCrossAttention(const TraceRequest& request) {
  const std::vector<AttentionKind>& kinds = request.kinds;
  const bool cross =
      kinds.empty() || std::find(kinds.begin(), kinds.end(), AttentionKind::kCross) != kinds.end();
  return cross && request.layers.empty() && request.heads.empty();
}

absl::Status CheckSize(const char* what, std::string_view text) {
  if (text.size() <= kMaxTextBytes) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("a ", what, " of ", text.size(),
                                                 " bytes is too long; the most is ", kMaxTextBytes,
                                                 ": cut it into several"));
}

// How large a batch may be, and what is recorded of it.
absl::Status CheckSizes(const TranslateOptions& options) {
  const int predictions = options.trace.has_value() ? options.trace->predictions : 0;
  for (const Count& count : {
           Count{"batch_size", options.batch_size, 1, nullptr, kMaxBatchSize},
           Count{"batch_tokens", options.batch_tokens, 0, "batches by batch_size", kMaxBatchTokens},
           Count{"trace.predictions", predictions, 0, "none", kMaxPredictions},
       }) {
    if (absl::Status status = CheckCount(count); !status.ok()) return status;
  }
  const SearchOptions& search = options.search;
  if (absl::Status status = CheckSize("prefix", search.prefix); !status.ok()) return status;
  for (const std::vector<std::string>* texts : {&search.suppress, &search.end_at}) {
    for (const std::string& text : *texts) {
      if (absl::Status status = CheckSize("phrase", text); !status.ok()) return status;
    }
  }
  return absl::OkStatus();
}

absl::Status CheckOptions(const TranslateOptions& options) {
  if (absl::Status status = CheckSizes(options); !status.ok()) return status;
  if (options.replace_unknowns && options.trace.has_value() &&
      !RecordsAllCrossAttention(*options.trace)) {
    return absl::InvalidArgumentError(
        "replace_unknowns takes cross-attention of all layers and heads, which the trace request "
        "leaves out");
  }
  if (options.replace_unknowns && WantsSeveral(options.search)) {
    return absl::InvalidArgumentError(
        "replace_unknowns is for one translation: leave it out, or nbest and alternatives");
  }
  return CheckSearchOptions(options.search);
}

// What a worker keeps between batches.
struct Worker {
  explicit Worker(const Transformer& transformer) : searcher(transformer), tracer(transformer) {}
  Searcher searcher;
  Tracer tracer;
  SourceBatch source;
  size_t max_tokens = 0;  // of the batches that it has had, which its buffers have grown to
};

using Batch = std::vector<Segment*>;

// Stays where it is, for the shortlist points into the bytes.
struct LoadedShortlist {
  std::string bytes;
  Shortlist shortlist;
};

// What is to be done with all batches of a call.
struct Task {
  // The caller's; where unknown pieces are replaced, with a trace that says by what.
  TranslateOptions options;
  const ModelConfig& config;
  const Shortlist* shortlist = nullptr;  // null: the model has none
  bool only_shortlist = false;           // whether nothing else may be produced
  // What options.search says, in tokens.
  TokenConstraints constraints = {};
  std::vector<int> prefix = {};
};

TranslateOptions WithTraceOfUnknowns(TranslateOptions options) {
  if (options.replace_unknowns && !options.trace.has_value()) options.trace = AlignmentRequest({});
  return options;
}

// What was recorded for ourselves is not the caller's.
void DropTraces(absl::StatusOr<std::vector<Translation>>& translations) {
  if (!translations.ok()) return;
  for (Translation& translation : *translations) translation.traces.clear();
}

class ModelTranslator : public Translator {
 public:
  ModelTranslator(Transformer transformer, std::unique_ptr<Tokenizer> tokenizer,
                  std::unique_ptr<LoadedShortlist> shortlist, bool only_shortlist, int threads)
      : transformer_(std::move(transformer)),
        tokenizer_(std::move(tokenizer)),
        shortlist_(std::move(shortlist)),
        only_shortlist_(only_shortlist),
        threads_(threads),
        // Callers may be many, each with one thread.
        workers_(std::max(threads, UsableProcessors())) {}

  absl::StatusOr<std::vector<Translation>> TranslateBatch(
      absl::Span<const std::string> texts, const TranslateOptions& options) const override;
  absl::StatusOr<std::vector<Translation>> ScoreBatch(
      absl::Span<const SentencePair> pairs, const TranslateOptions& options) const override;

 private:
  // Fills the hypothesis of each segment of a batch, or what its given hypothesis is worth.
  using BatchWork = void (*)(const Batch& batch, const Task& task, Worker& worker);

  absl::Status CheckPair(const Document& document) const;
  absl::StatusOr<std::vector<Translation>> Run(std::vector<Document>& documents, const Task& task,
                                               BatchWork work) const;
  absl::Status RunBatches(absl::Span<const Batch> batches, const Task& task, BatchWork work) const;
  void RunBatch(const Batch& batch, const Task& task, BatchWork work) const;

  const ModelConfig& config() const { return transformer_.config(); }

  const Transformer transformer_;
  const std::unique_ptr<Tokenizer> tokenizer_;
  const std::unique_ptr<LoadedShortlist> shortlist_;  // null: the model has none
  const bool only_shortlist_;
  const int threads_;
  mutable IdlePool<Worker> workers_;
};

// What a batch is likely to produce: the candidates of its source tokens, and what the options ask
// for.
std::vector<int> LikelyTokens(const Batch& batch, const Task& task) {
  std::vector<int> sources;
  for (const Segment* segment : batch) {
    sources.insert(sources.end(), segment->source.ids.begin(), segment->source.ids.end());
  }
  std::vector<int> tokens =
      UnionOfCandidates(*task.shortlist, sources, task.config.target_vocab_size);
  tokens.insert(tokens.end(), task.prefix.begin(), task.prefix.end());
  tokens.insert(tokens.end(), task.constraints.end_at.begin(), task.constraints.end_at.end());
  tokens.push_back(task.config.target_eos_id);
  std::sort(tokens.begin(), tokens.end());
  tokens.erase(std::unique(tokens.begin(), tokens.end()), tokens.end());
  return tokens;
}

// Where nearly everything is likely, nothing: drafts would take as long as what they spare.
std::vector<int> DraftCandidates(const Batch& batch, const Task& task) {
  std::vector<int> tokens = LikelyTokens(batch, task);
  if (tokens.size() > static_cast<size_t>(task.config.target_vocab_size) / 4) tokens.clear();
  return tokens;
}

void SearchBatch(const Batch& batch, const Task& task, Worker& worker) {
  if (task.only_shortlist) {
    worker.searcher.SelectTokens(LikelyTokens(batch, task));
  } else if (task.shortlist != nullptr && batch.size() == 1) {
    worker.searcher.DraftFrom(DraftCandidates(batch, task));
  }
  worker.source.Clear();
  for (const Segment* segment : batch) worker.source.Add(segment->source.ids);
  std::vector<absl::Span<const int>> prefixes;
  for (const Segment* segment : batch) {
    prefixes.push_back(segment->starts_text ? absl::MakeConstSpan(task.prefix)
                                            : absl::Span<const int>());
  }
  const SearchOptions& options = task.options.search;
  const std::vector<Hypotheses>& found =
      worker.searcher.Search(worker.source, {options, task.constraints, prefixes});
  for (size_t i = 0; i < batch.size(); ++i) {
    batch[i]->hypothesis = found[i].front();
    if (!WantsSeveral(options)) continue;
    batch[i]->nbest = found[i];
    // Alternatives are those of one place in a text.
    if (options.alternatives > 0 && !batch[i]->starts_text) batch[i]->nbest.resize(1);
  }
}

// How many tokens a batch, once it is done, has had in the encoder or in the decoder, whichever is
// more: what a worker's buffers hold at a time.
size_t TokensOf(const Batch& batch, const Task& task) {
  const size_t width = SearchWidth(task.options.search);
  size_t tokens = 0;
  for (const Segment* segment : batch) {
    tokens += std::max(segment->source.size(), width * segment->hypothesis.ids.size());
  }
  return tokens;
}

// Fills segment.forced.occlusion: teacher forcing without each of the source's words.
void Occlude(const ModelConfig& config, Worker& worker, Segment& segment) {
  const std::vector<ByteRange>& words = segment.words;
  const std::vector<int> word_of_piece = WordsOfPieces(segment.source.ranges, words);
  const std::vector<float>& whole = segment.forced.log_probabilities;
  const size_t max_at_once = std::max<size_t>(1, kMaxTokensTogether / segment.source.size());
  for (size_t begin = 0; begin < words.size(); begin += max_at_once) {
    const size_t end = std::min(words.size(), begin + max_at_once);
    worker.source.Clear();
    for (size_t word = begin; word < end; ++word) {
      std::vector<int> rest;
      for (size_t i = 0; i < segment.source.size(); ++i) {
        if (word_of_piece[i] != static_cast<int>(word)) rest.push_back(segment.source.ids[i]);
      }
      if (rest.empty()) rest.push_back(config.source_unk_id);  // there is no empty source
      worker.source.Add(rest);
    }
    const std::vector<absl::Span<const int>> targets(end - begin, segment.hypothesis.ids);
    for (const TeacherForcing& without : worker.tracer.Run(worker.source, targets, nullptr)) {
      for (size_t token = 0; token < whole.size(); ++token) {
        segment.forced.occlusion.push_back(whole[token] - without.log_probabilities[token]);
      }
    }
  }
}

// Runs teacher forcing over the hypotheses, found or given.
void ForceBatch(const Batch& batch, const Task& task, Worker& worker) {
  worker.source.Clear();
  std::vector<absl::Span<const int>> targets;
  for (const Segment* segment : batch) {
    worker.source.Add(segment->source.ids);
    targets.emplace_back(segment->hypothesis.ids);
  }
  const TraceRequest* request = task.options.trace.has_value() ? &*task.options.trace : nullptr;
  std::vector<TeacherForcing> forced = worker.tracer.Run(worker.source, targets, request);
  for (size_t i = 0; i < batch.size(); ++i) batch[i]->forced = std::move(forced[i]);
  if (request == nullptr || !request->occlusion) return;
  for (Segment* segment : batch) Occlude(task.config, worker, *segment);
}

// A traced translation stays the untraced one, to the last bit of its scores.
void SearchAndTraceBatch(const Batch& batch, const Task& task, Worker& worker) {
  SearchBatch(batch, task, worker);
  ForceBatch(batch, task, worker);
}

void ScoreGivenBatch(const Batch& batch, const Task& task, Worker& worker) {
  ForceBatch(batch, task, worker);
  for (Segment* segment : batch) {
    segment->hypothesis.log_probabilities = segment->forced.log_probabilities;
    segment->hypothesis.finished = true;  // EncodeTarget ends with </s>
  }
}

// Batches of sentences of like length, the longest first: they take longest, and a worker that gets
// one last would keep the others waiting.
std::vector<Batch> Group(std::vector<Document>& documents, const TranslateOptions& options) {
  const int width = SearchWidth(options.search);
  // With batch_tokens, as many sentences as these are; else batch_size, and fewer of long ones.
  const int tokens_together =
      options.batch_tokens > 0
          ? options.batch_tokens
          : kUsualTokens * std::min(options.batch_size, kMaxTokensTogether / kUsualTokens);
  const size_t max_tokens = std::max(1, tokens_together / width);
  const size_t max_sentences =
      options.batch_tokens > 0 ? max_tokens : std::max(1, options.batch_size / width);
  std::vector<Segment*> segments;
  for (Document& document : documents) {
    for (Segment& segment : document.segments) segments.push_back(&segment);
  }
  std::stable_sort(segments.begin(), segments.end(), [](const Segment* a, const Segment* b) {
    return a->source.size() > b->source.size();
  });
  std::vector<Batch> batches;
  size_t tokens = 0;
  for (Segment* segment : segments) {
    tokens += segment->source.size();
    const bool full =
        batches.empty() || batches.back().size() == max_sentences || tokens > max_tokens;
    if (full) {
      batches.emplace_back();
      tokens = segment->source.size();
    }
    batches.back().push_back(segment);
  }
  return batches;
}

absl::StatusOr<std::vector<Translation>> ModelTranslator::TranslateBatch(
    absl::Span<const std::string> texts, const TranslateOptions& options) const {
  return WithoutExceptions([&]() -> absl::StatusOr<std::vector<Translation>> {
    if (absl::Status status = CheckOptions(options); !status.ok()) return status;
    absl::StatusOr<TokenConstraints> constraints =
        FindConstraints(options.search, config(), *tokenizer_);
    if (!constraints.ok()) return constraints.status();
    absl::StatusOr<std::vector<int>> prefix =
        FindPrefix(options.search, *constraints, config(), *tokenizer_);
    if (!prefix.ok()) return prefix.status();
    const Task task = {WithTraceOfUnknowns(options),
                       config(),
                       shortlist_ == nullptr ? nullptr : &shortlist_->shortlist,
                       only_shortlist_,
                       *std::move(constraints),
                       *std::move(prefix)};
    for (const std::string& text : texts) {
      if (absl::Status status = CheckSize("text", text); !status.ok()) return status;
    }
    std::vector<Document> documents(texts.size());
    const absl::Status prepared = ParallelFor(threads_, texts.size(), [&](size_t i) {
      documents[i] = Prepare(texts[i], task.options, config(), *tokenizer_);
    });
    if (!prepared.ok()) return prepared;
    const bool traced = task.options.trace.has_value();
    absl::StatusOr<std::vector<Translation>> translations =
        Run(documents, task, traced ? SearchAndTraceBatch : SearchBatch);
    if (!options.trace.has_value()) DropTraces(translations);
    return translations;
  });
}

absl::StatusOr<std::vector<Translation>> ModelTranslator::ScoreBatch(
    absl::Span<const SentencePair> pairs, const TranslateOptions& options) const {
  return WithoutExceptions([&]() -> absl::StatusOr<std::vector<Translation>> {
    if (absl::Status status = CheckOptions(options); !status.ok()) return status;
    Task task = {WithTraceOfUnknowns(options), config()};
    task.options.search = {};  // nothing is searched for
    for (const SentencePair& pair : pairs) {
      absl::Status status = CheckSize("text", pair.source);
      status.Update(CheckSize("text", pair.target));
      if (!status.ok()) return status;
    }
    std::vector<absl::Status> statuses(pairs.size());
    std::vector<Document> documents(pairs.size());
    const absl::Status prepared = ParallelFor(threads_, pairs.size(), [&](size_t i) {
      documents[i] = PreparePair(pairs[i], task.options, *tokenizer_);
      statuses[i] = CheckPair(documents[i]);
      if (!statuses[i].ok()) documents[i].segments.clear();
    });
    if (!prepared.ok()) return prepared;
    absl::StatusOr<std::vector<Translation>> translations = Run(documents, task, ScoreGivenBatch);
    if (!translations.ok()) return translations;
    for (size_t i = 0; i < pairs.size(); ++i) {
      if (statuses[i].ok()) continue;
      (*translations)[i] = Translation();
      (*translations)[i].status = std::move(statuses[i]);
    }
    if (!options.trace.has_value()) DropTraces(translations);
    return translations;
  });
}

// Whether the model can take a pair.
absl::Status ModelTranslator::CheckPair(const Document& document) const {
  const Segment& segment = document.segments.front();
  if (segment.source.ids.empty()) {
    return absl::InvalidArgumentError("the source is empty, which this model cannot take");
  }
  const size_t sources = segment.source.size();
  const size_t targets = segment.hypothesis.ids.size();
  if (std::max(sources, targets) <= static_cast<size_t>(config().max_positions)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the ", sources > targets ? "source" : "translation", " has ", std::max(sources, targets),
      " tokens; the model takes at most ", config().max_positions));
}

absl::StatusOr<std::vector<Translation>> ModelTranslator::Run(std::vector<Document>& documents,
                                                              const Task& task,
                                                              BatchWork work) const {
  const TranslateOptions& options = task.options;
  absl::Status status = RunBatches(Group(documents, options), task, work);
  if (!status.ok()) return status;
  std::vector<Translation> translations(documents.size());
  status = ParallelFor(threads_, documents.size(), [&](size_t i) {
    translations[i] = Assemble(std::move(documents[i]), options, config(), *tokenizer_);
  });
  if (!status.ok()) return status;
  return translations;
}

absl::Status ModelTranslator::RunBatches(absl::Span<const Batch> batches, const Task& task,
                                         BatchWork work) const {
  absl::Status status = ParallelFor(threads_, batches.size(), [&](size_t i) {
    const SingleThreadScope single_thread;
    RunBatch(batches[i], task, work);
  });
  // A worker is kept with the buffers that it has unless a batch had more than twice the tokens of
  // a default one. Not after each batch: the next one is about as large.
  const size_t max_kept = size_t{2} * kUsualTokens * TranslateOptions().batch_size;
  workers_.Trim([&](const Worker& worker) { return worker.max_tokens > max_kept; });
  return status;
}

void ModelTranslator::RunBatch(const Batch& batch, const Task& task, BatchWork work) const {
  std::unique_ptr<Worker> worker = workers_.Take();
  if (worker == nullptr) worker = std::make_unique<Worker>(transformer_);
  work(batch, task, *worker);
  worker->max_tokens = std::max(worker->max_tokens, TokensOf(batch, task));
  workers_.GiveBack(std::move(worker));
}

absl::StatusOr<std::unique_ptr<LoadedShortlist>> TakeShortlist(Checkpoint& checkpoint,
                                                               const TranslatorOptions& options) {
  if (checkpoint.shortlist.empty()) {
    if (!options.shortlist) return nullptr;
    return absl::FailedPreconditionError(
        "the model has no shortlist; make one with: limpid shortlist");
  }
  auto loaded = std::make_unique<LoadedShortlist>();
  loaded->bytes = std::move(checkpoint.shortlist);
  const absl::StatusOr<Shortlist> parsed = ParseShortlist(
      {reinterpret_cast<const std::byte*>(loaded->bytes.data()), loaded->bytes.size()},
      checkpoint.config.source_vocab_size, checkpoint.config.target_vocab_size);
  if (!parsed.ok()) return parsed.status();
  loaded->shortlist = *parsed;
  return loaded;
}

// MakeTranslator, except that it throws.
absl::StatusOr<std::unique_ptr<Translator>> Make(Checkpoint checkpoint,
                                                 const TranslatorOptions& options) {
  if (absl::Status status = CheckCount(
          {"threads", options.threads, 0, "as many as this process may use", kMaxThreads});
      !status.ok()) {
    return status;
  }
  const ComputeType fastest =
      IsSupported(ComputeType::kInt8) ? ComputeType::kInt8 : ComputeType::kFloat32;
  const ComputeType type =
      options.compute_type == ComputeType::kAuto ? fastest : options.compute_type;
  if (!IsSupported(type)) {
    const std::string_view name = ComputeTypeName(type);
    return absl::UnimplementedError(absl::StrCat("this processor does not compute in ",
                                                 std::string(name), ": use float32 or auto"));
  }
  absl::StatusOr<ModelWeights> weights = BindWeights(checkpoint.config, checkpoint.tensors);
  if (!weights.ok()) return weights.status();
  absl::StatusOr<std::unique_ptr<LoadedShortlist>> shortlist = TakeShortlist(checkpoint, options);
  if (!shortlist.ok()) return InContext(checkpoint.path, shortlist.status());
  // These three take about as long, so each has a thread.
  std::future<absl::StatusOr<std::unique_ptr<Tokenizer>>> tokenizing = std::async(
      std::launch::async, MakeTokenizer, TakeTokenizerFiles(checkpoint.path, checkpoint));
  std::future<Encoder> encoding = std::async(std::launch::async, [&] {
    const SingleThreadScope single_thread;
    return Encoder(checkpoint.config, *weights, type);
  });
  const SingleThreadScope single_thread;
  Decoder decoder(checkpoint.config, *weights, type);
  const bool drafts = *shortlist != nullptr && !options.shortlist;
  DraftLayer draft = drafts ? DraftLayer(weights->output) : DraftLayer();
  Encoder encoder = encoding.get();
  Transformer transformer(std::move(checkpoint), std::move(encoder), std::move(decoder),
                          std::move(draft));
  absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer = tokenizing.get();
  if (!tokenizer.ok()) return tokenizer.status();
  return std::make_unique<ModelTranslator>(
      std::move(transformer), *std::move(tokenizer), *std::move(shortlist), options.shortlist,
      options.threads > 0 ? options.threads : UsableProcessors());
}

}  // namespace

absl::StatusOr<Translation> Translator::Translate(std::string_view text,
                                                  const TranslateOptions& options) const {
  return WithoutExceptions([&]() -> absl::StatusOr<Translation> {
    if (absl::Status status = CheckSize("text", text); !status.ok()) return status;
    absl::StatusOr<std::vector<Translation>> translations =
        TranslateBatch({std::string(text)}, options);
    if (!translations.ok()) return translations.status();
    return std::move(translations->front());
  });
}

absl::StatusOr<std::unique_ptr<Translator>> Translator::Load(const std::string& model_folder,
                                                             const TranslatorOptions& options) {
  return WithoutExceptions(
      [&]() -> absl::StatusOr<std::unique_ptr<Translator>> {
        if (options.verify) {
          const auto verified = VerifyChecksums(model_folder);
          if (!verified.ok()) return verified.status();
        }
        absl::StatusOr<Checkpoint> checkpoint = ReadNative(model_folder);
        if (!checkpoint.ok()) return checkpoint.status();
        return Make(*std::move(checkpoint), options);
      },
      OutOfMemoryLoading());
}

absl::StatusOr<std::unique_ptr<Translator>> internal::MakeTranslator(
    Checkpoint checkpoint, const TranslatorOptions& options) {
  return WithoutExceptions([&] { return Make(std::move(checkpoint), options); },
                           OutOfMemoryLoading());
}

}  // namespace limpid

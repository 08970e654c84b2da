// A text's way through the engine, in Impl::Run:
//
//   Prepare      text → sentences → pieces → ids                          text/prepare.h
//   MakeBatches  sentences of similar length into batches                 text/batching.h
//   Translate    ids → target ids, batch by batch, on several threads     worker.h, searcher.h
//   Assemble     target ids → pieces → text, with the source's spacing    text/assemble.h

#include "limpid/translator.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <utility>

#include "engine/check_options.h"
#include "engine/exceptions.h"
#include "engine/idle_pool.h"
#include "engine/make_translator.h"
#include "engine/math/linear.h"
#include "engine/model.h"
#include "engine/processors.h"
#include "engine/text/assemble.h"
#include "engine/text/batching.h"
#include "engine/text/prepare.h"
#include "engine/text/token_constraints.h"
#include "engine/worker.h"
#include "limpid/alignment.h"
#include "models/native/checksum.h"
#include "models/native/native.h"

namespace limpid {

// The public class is made from internals throughout.
using namespace internal;  // NOLINT(google-build-using-namespace)

class Translator::Impl {
 public:
  Impl(std::unique_ptr<Model> model, std::shared_ptr<ThreadPool> threads)
      : model_(std::move(model)),
        threads_(std::move(threads)),
        // There may be many callers, each with one thread.
        workers_(std::max(threads_->threads(), UsableProcessors())) {}

  const ModelInfo& info() const { return model_->info; }

  absl::StatusOr<std::vector<Translation>> Translate(absl::Span<const std::string_view> texts,
                                                     const TranslateOptions& options) const;
  absl::StatusOr<std::vector<Translation>> Score(absl::Span<const SentencePair> pairs,
                                                 const TranslateOptions& options) const;
  void Trim() const {
    workers_.Free([](const Worker&) { return true; });
  }

 private:
  using PrepareText = absl::FunctionRef<Document(size_t index, const TranslateOptions& options)>;
  using BatchWork = absl::Status (Worker::*)(const Batch& batch, const Task& task);

  // All texts of a call, on their way.
  struct Call {
    const TranslateOptions& options;  // the caller's
    const Task& task;
    std::vector<Document> documents;
    std::vector<std::atomic<size_t>> remaining;  // segments of each that are not yet done
    std::vector<Translation> translations;
    std::mutex reporting = {};  // held while options.on_result runs
  };

  absl::StatusOr<std::vector<Translation>> Run(size_t count, const TranslateOptions& options,
                                               Task task, PrepareText prepare,
                                               BatchWork work) const;
  absl::Status RunBatch(const Batch& batch, BatchWork work, Call& call) const;
  void Finish(size_t index, Call& call) const;

  const std::unique_ptr<const Model> model_;
  const std::shared_ptr<ThreadPool> threads_;
  mutable IdlePool<Worker> workers_;
};

absl::StatusOr<std::vector<Translation>> Translator::Impl::Translate(
    absl::Span<const std::string_view> texts, const TranslateOptions& options) const {
  if (absl::Status status = CheckTranslateOptions(options); !status.ok()) return status;
  for (const std::string_view text : texts) {
    if (absl::Status status = CheckTextSize("text", text); !status.ok()) return status;
  }
  const Tokenizer& tokenizer = *model_->tokenizer;
  absl::StatusOr<TokenConstraints> constraints =
      FindConstraints(options.search, model_->config(), tokenizer);
  if (!constraints.ok()) return constraints.status();
  absl::StatusOr<std::vector<int>> prefix =
      FindPrefix(options.search, *constraints, model_->config(), tokenizer);
  if (!prefix.ok()) return prefix.status();
  const auto prepare = [&](size_t i, const TranslateOptions& task_options) {
    return Prepare(texts[i], task_options, model_->config(), tokenizer);
  };
  return Run(texts.size(), options, {options, *std::move(constraints), *std::move(prefix)}, prepare,
             &Worker::Translate);
}

absl::StatusOr<std::vector<Translation>> Translator::Impl::Score(
    absl::Span<const SentencePair> pairs, const TranslateOptions& options) const {
  Task task = {options};
  task.options.search = {};
  if (absl::Status status = CheckTranslateOptions(task.options); !status.ok()) return status;
  for (const SentencePair& pair : pairs) {
    absl::Status status = CheckTextSize("text", pair.source);
    status.Update(CheckTextSize("text", pair.target));
    if (!status.ok()) return status;
  }
  const auto prepare = [&](size_t i, const TranslateOptions& task_options) {
    return PreparePair(pairs[i], task_options, model_->config(), *model_->tokenizer);
  };
  return Run(pairs.size(), options, std::move(task), prepare, &Worker::Score);
}

absl::StatusOr<std::vector<Translation>> Translator::Impl::Run(size_t count,
                                                               const TranslateOptions& options,
                                                               Task task, PrepareText prepare,
                                                               BatchWork work) const {
  // Unknown tokens are replaced by what a trace aligns them with.
  if (options.replace_unknowns && !options.trace.has_value()) {
    task.options.trace = AlignmentRequest({});
  }
  if (absl::Status status = task.stop().Check(); !status.ok()) return status;
  Call call = {.options = options,
               .task = task,
               .documents = std::vector<Document>(count),
               .remaining = std::vector<std::atomic<size_t>>(count),
               .translations = std::vector<Translation>(count)};

  absl::Status status = threads_->ParallelFor(count, [&](size_t i) {
    Document& document = call.documents[i];
    document = prepare(i, task.options);
    for (Segment& segment : document.segments) segment.text_index = i;
    call.remaining[i] = document.segments.size();
    if (document.segments.empty()) Finish(i, call);
    return task.stop().Check();
  });
  if (!status.ok()) return status;

  const std::vector<Batch> batches = MakeBatches(absl::MakeSpan(call.documents), task.options);
  status = threads_->ParallelFor(batches.size(),
                                 [&](size_t i) { return RunBatch(batches[i], work, call); });
  // Frees the buffers of workers that had a batch of more than twice the tokens of a default one.
  // Not after each batch: the next one is about as large.
  const size_t max_kept = size_t{2} * kTypicalTokens * TranslateOptions().batch_size;
  workers_.Free([&](const Worker& worker) { return worker.max_tokens() > max_kept; });
  if (!status.ok()) return status;
  return std::move(call.translations);
}

// Translates or scores a batch and finishes the texts whose last segment was in it.
absl::Status Translator::Impl::RunBatch(const Batch& batch, BatchWork work, Call& call) const {
  if (absl::Status status = call.task.stop().Check(); !status.ok()) return status;
  {
    const SingleThreadScope single_thread;
    std::unique_ptr<Worker> worker = workers_.Take();
    if (worker == nullptr) worker = std::make_unique<Worker>(*model_);
    absl::Status status = ((*worker).*work)(batch, call.task);
    if (!status.ok()) return status;  // frees the worker, whose tokens were not counted
    workers_.GiveBack(std::move(worker));
  }
  for (const Segment* segment : batch) {
    const size_t index = segment->text_index;
    if (--call.remaining[index] == 0) Finish(index, call);
  }
  return absl::OkStatus();
}

void Translator::Impl::Finish(size_t index, Call& call) const {
  Translation& translation = call.translations[index];
  translation = Assemble(std::move(call.documents[index]), call.task.options, model_->config(),
                         *model_->tokenizer);
  if (!call.options.trace.has_value()) translation.traces.clear();
  if (!call.options.on_result) return;
  const std::lock_guard<std::mutex> lock(call.reporting);
  call.options.on_result(index, translation);
}

// --- The public functions: no exception leaves them.

absl::StatusOr<Translation> Translator::Translate(std::string_view text,
                                                  const TranslateOptions& options) const {
  return WithoutExceptions([&]() -> absl::StatusOr<Translation> {
    absl::StatusOr<std::vector<Translation>> translations = impl_->Translate({text}, options);
    if (!translations.ok()) return translations.status();
    return std::move(translations->front());
  });
}

absl::StatusOr<std::vector<Translation>> Translator::TranslateBatch(
    absl::Span<const std::string> texts, const TranslateOptions& options) const {
  return WithoutExceptions([&] {
    return impl_->Translate(std::vector<std::string_view>(texts.begin(), texts.end()), options);
  });
}

absl::StatusOr<std::vector<Translation>> Translator::ScoreBatch(
    absl::Span<const SentencePair> pairs, const TranslateOptions& options) const {
  return WithoutExceptions([&] { return impl_->Score(pairs, options); });
}

const ModelInfo& Translator::info() const { return impl_->info(); }
void Translator::Trim() const { impl_->Trim(); }

Translator::Translator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Translator::Translator(Translator&& other) noexcept = default;
Translator& Translator::operator=(Translator&& other) noexcept = default;
Translator::~Translator() = default;

absl::StatusOr<std::unique_ptr<Translator>> internal::MakeTranslator(
    const Folder& folder, CheckpointReader read, const TranslatorOptions& options) {
  const auto read_verified = [&]() -> absl::StatusOr<Checkpoint> {
    if (options.verify) {
      const auto verified = VerifyChecksums(folder);
      if (!verified.ok()) return verified.status();
    }
    return read();
  };
  return WithoutExceptions(
      [&]() -> absl::StatusOr<std::unique_ptr<Translator>> {
        if (options.thread_pool != nullptr && options.threads != 0) {
          return absl::InvalidArgumentError(
              "threads must be 0 with a thread_pool, which has a number of its own");
        }
        absl::StatusOr<std::shared_ptr<ThreadPool>> threads = options.thread_pool;
        if (*threads == nullptr) threads = ThreadPool::Create(options.threads);
        if (!threads.ok()) return threads.status();
        absl::StatusOr<std::unique_ptr<Model>> model = MakeModel(read_verified, options);
        if (!model.ok()) return model.status();
        return std::make_unique<Translator>(
            std::make_unique<Translator::Impl>(*std::move(model), *std::move(threads)));
      },
      OutOfMemoryLoading());
}

static absl::StatusOr<std::unique_ptr<Translator>> LoadFolder(const Folder& folder,
                                                              const TranslatorOptions& options) {
  return MakeTranslator(
      folder, [&] { return ReadNative(folder); }, options);
}

absl::StatusOr<std::unique_ptr<Translator>> Translator::Load(const std::string& model_folder,
                                                             const TranslatorOptions& options) {
  return WithoutExceptions([&] { return LoadFolder(Folder(model_folder), options); },
                           OutOfMemoryLoading());
}

absl::StatusOr<std::unique_ptr<Translator>> Translator::LoadFromMemory(
    const std::map<std::string, std::string_view>& files, const TranslatorOptions& options) {
  return WithoutExceptions([&] { return LoadFolder(Folder(files), options); },
                           OutOfMemoryLoading());
}

}  // namespace limpid

// A warm step neither allocates nor compiles, and a failed allocation becomes a Status. This file
// replaces malloc, aligned_alloc, operator new and oneDNN's dnnl_primitive_create by functions that
// count, let allocations fail on demand, and otherwise call the originals.

#include <dlfcn.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <string>
#include <vector>

#include "engine/searcher.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/weights.h"
#include "oneapi/dnnl/dnnl.h"
#include "tests/engine/compute_types.h"
#include "tests/sanitized.h"

namespace {

std::atomic<int> allocations{0};
std::atomic<int> primitives{0};
thread_local bool in_onednn = false;

}  // namespace

#if !LIMPID_SANITIZED

// The bounds of this program's own code, which includes the engine. Allocations inside libraries,
// such as oneDNN's for each GEMM that it runs, are not counted.
extern "C" char __executable_start;  // NOLINT(bugprone-reserved-identifier): the linker's name
extern "C" char etext;

namespace {

std::atomic<int> failing{0};  // countdown: at 1 the next allocation fails; 0: none
std::atomic<bool> all_fail_after{true};

// Returns whether the allocation may be made.
bool Count(const void* caller) {
  if (in_onednn) return true;  // it may call this program's copies of standard templates
  const auto* place = static_cast<const char*>(caller);
  if (place < &__executable_start || place >= &etext) return true;
  ++allocations;
  int left = failing;
  while (left > 1 && !failing.compare_exchange_weak(left, left - 1)) {
  }
  if (left != 1) return true;
  if (!all_fail_after) failing = -1;
  return false;
}

}  // namespace

extern "C" {
void* __libc_malloc(size_t size);                      // NOLINT(bugprone-reserved-identifier)
void* __libc_memalign(size_t alignment, size_t size);  // NOLINT(bugprone-reserved-identifier)

void* malloc(size_t size) {
  return Count(__builtin_return_address(0)) ? __libc_malloc(size) : nullptr;
}

void* aligned_alloc(size_t alignment, size_t size) {
  return Count(__builtin_return_address(0)) ? __libc_memalign(alignment, size) : nullptr;
}
}

// The standard library's operator delete frees it.
void* operator new(size_t size) {
  void* memory = Count(__builtin_return_address(0)) ? __libc_malloc(size) : nullptr;
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

#endif

extern "C" dnnl_status_t dnnl_primitive_create(dnnl_primitive_t* primitive,
                                               const_dnnl_primitive_desc_t description) {
  ++primitives;
  static const auto create =
      reinterpret_cast<decltype(&dnnl_primitive_create)>(dlsym(RTLD_NEXT, "dnnl_primitive_create"));
  in_onednn = true;  // oneDNN 3 terminates the program if it has no memory for a kernel
  const dnnl_status_t status = create(primitive, description);
  in_onednn = false;
  return status;
}

namespace limpid::internal {
namespace {

class WarmStepTest : public testing::TestWithParam<ComputeType> {
 protected:
  // Searches twice; the second time must neither allocate nor compile.
  static void ExpectNothingNewTheSecondTime(Searcher& searcher, const SourceBatch& source,
                                            const SearchOptions& options) {
    primitives = 0;
    const TokenConstraints constraints;
    searcher.Search(source, {options, constraints});
    EXPECT_GT(primitives, 0) << "the counter does not see primitives";
    allocations = 0;
    primitives = 0;
    searcher.Search(source, {options, constraints});
    EXPECT_EQ(allocations, 0);
    EXPECT_EQ(primitives, 0);
  }

  static void AddSentence(int number, SourceBatch& source) {
    std::vector<int> ids;
    for (int i = 0; i < 3 + number; ++i) ids.push_back(100 + (17 * number + 31 * i) % 3000);
    ids.push_back(0);
    source.Add(ids);
  }

  const SingleThreadScope single_thread_;
};

TEST_P(WarmStepTest, NeitherAllocatesNorCompiles) {
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint("models/eng-deu");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  const absl::StatusOr<ModelWeights> weights = BindWeights(checkpoint->config, checkpoint->tensors);
  ASSERT_TRUE(weights.ok()) << weights.status();
  const Transformer transformer(*checkpoint, *weights, GetParam());
  const FastOutput fast_output(transformer.output(), /*drafts=*/true);
  SourceBatch sentences;
  for (int number = 0; number < 5; ++number) AddSentence(number, sentences);
  SourceBatch sentence;
  AddSentence(4, sentence);
  for (const SearchOptions& options :
       {SearchOptions{}, SearchOptions{.log_probabilities = false}, SearchOptions{.temperature = 1},
        SearchOptions{.min_output_tokens = 2}}) {
    Searcher plain(transformer);
    ExpectNothingNewTheSecondTime(plain, sentences, options);
    Searcher searcher(transformer, &fast_output);
    ExpectNothingNewTheSecondTime(searcher, sentences, options);
    // A single sentence, whose drafts are mostly wrong.
    Searcher drafter(transformer, &fast_output);
    drafter.DraftFrom({0, 1, 2, 3, 10, 20, 30});
    ExpectNothingNewTheSecondTime(drafter, sentence, options);
  }
}

#if !LIMPID_SANITIZED
TEST(CountingTest, SeesAllocationsOfThisProgram) {
  allocations = 0;
  const std::vector<int> vector(100);
  Buffer<float> buffer;
  buffer.Reserve(100);
  EXPECT_EQ(allocations, 2);
}

// Calls `work` with memory that runs out at the first allocation, then `step` allocations later
// each time, until it suffices.
template <typename Work>
void RunOutOfMemory(const Work& work, int step) {
  for (int allocation = 1;; allocation += step) {
    failing = allocation;
    const absl::Status status = work();
    const bool ran_out = failing == 1 || failing == -1;
    failing = 0;
    if (!ran_out) {
      EXPECT_TRUE(status.ok()) << status;
      EXPECT_GT(allocation, 100);
      return;
    }
    EXPECT_TRUE(absl::IsResourceExhausted(status)) << allocation << ": " << status;
  }
}

TEST(OutOfMemoryTest, IsAStatusWhereverATranslationRunsOut) {
  const auto translator = *Translator::Load("models/eng-deu", {.threads = 1});
  const std::string text = "Where is Mary? I love you\xff.";
  const std::vector<std::string> texts = {text, text};
  const std::vector<SentencePair> pairs = {{text, text}};
  const TranslateOptions plain;
  const TranslateOptions traced = {.trace = TraceRequest()};
  RunOutOfMemory([&] { return translator->Translate(text, plain).status(); }, 1);
  RunOutOfMemory([&] { return translator->TranslateBatch(texts, traced).status(); }, 7);
  RunOutOfMemory([&] { return translator->ScoreBatch(pairs, plain).status(); }, 1);
  EXPECT_TRUE(translator->Translate(text).ok());  // it recovers
}

TEST(OutOfMemoryTest, IsAStatusWhereverLoadingRunsOut) {
  const std::string folder = "models/eng-deu";
  const TranslatorOptions options = {.threads = 1};
  // nlohmann's destructor allocates. models/io/json.cc reserves memory for that, which does not
  // help if all later allocations fail.
  all_fail_after = false;
  RunOutOfMemory([&] { return Translator::Load(folder, options).status(); }, 997);
  all_fail_after = true;
}
#endif

INSTANTIATE_TEST_SUITE_P(ComputeTypes, WarmStepTest, testing::ValuesIn(SupportedComputeTypes()),
                         NameOf);

}  // namespace
}  // namespace limpid::internal

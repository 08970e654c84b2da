// Calls in progress: a program can stop them, gets each text as soon as it is finished, and shares
// threads between translators.

#include <atomic>
#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "tests/engine/allocated_bytes.h"
#include "tests/sanitized.h"

namespace limpid::internal {
namespace {

using std::chrono::hours;
using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr char kModel[] = "models/eng-deu";

const Translator& Shipped() {
  static const Translator& translator =
      *Translator::Load(kModel, {.compute_type = ComputeType::kFloat32, .threads = 2})->release();
  return translator;
}

std::vector<std::string> Texts(size_t count) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < count; ++i) {
    texts.push_back(i % 3 == 0 ? "I love you very much." : "Where is the station? I am here.");
  }
  texts.push_back(" ");  // finished without being translated
  return texts;
}

// --- Stopping a call.

TEST(StopTest, AStopBeforeTheCallTranslatesNothing) {
  std::stop_source stop;
  stop.request_stop();
  int results = 0;
  TranslateOptions options;
  options.stop = stop.get_token();
  options.on_result = [&](size_t, const Translation&) { ++results; };
  const auto translated = Shipped().TranslateBatch(Texts(5), options);
  EXPECT_TRUE(absl::IsCancelled(translated.status())) << translated.status();
  EXPECT_TRUE(absl::IsCancelled(Shipped().Translate("I love you.", options).status()));
  EXPECT_TRUE(absl::IsCancelled(Shipped().ScoreBatch({{"a", "b"}}, options).status()));
  EXPECT_EQ(results, 0);
}

TEST(StopTest, AStopDuringTheCallEndsItAndKeepsWhatWasDelivered) {
  const auto translator = *Translator::Load(kModel, {.threads = 1});
  const std::vector<std::string> texts(100, "I love you very much.");
  std::stop_source stop;
  std::vector<std::string> results;
  TranslateOptions options;
  options.batch_size = 1;
  options.stop = stop.get_token();
  options.on_result = [&](size_t, const Translation& translation) {
    results.push_back(translation.text);
    if (results.size() == 3) stop.request_stop();
  };
  const auto translated = translator->TranslateBatch(texts, options);
  EXPECT_TRUE(absl::IsCancelled(translated.status())) << translated.status();
  EXPECT_EQ(results, std::vector<std::string>(3, "Ich liebe dich sehr."));
}

TEST(StopTest, ADeadlineEndsTheCall) {
  TranslateOptions options;
  options.deadline = steady_clock::now();
  EXPECT_TRUE(absl::IsDeadlineExceeded(Shipped().Translate("I love you.", options).status()));
  options.deadline = steady_clock::now() + std::chrono::milliseconds(20);
  const std::vector<std::string> many(20'000, "Where is the station?");
  EXPECT_TRUE(absl::IsDeadlineExceeded(Shipped().TranslateBatch(many, options).status()));
}

TEST(StopTest, ADeadlineEndsASingleLongSearch) {
  const std::string text = "I love you very much.";
  const auto translator = *Translator::Load(kModel);
  TranslateOptions options;
  options.search = {.beam_size = 100, .max_output_tokens = 1000, .min_output_tokens = 500};
  options.deadline = steady_clock::now() + std::chrono::milliseconds(50);
  EXPECT_TRUE(absl::IsDeadlineExceeded(translator->Translate(text, options).status()));
  options.trace = TraceRequest{};
  options.deadline = steady_clock::now() + std::chrono::milliseconds(50);
  EXPECT_TRUE(absl::IsDeadlineExceeded(translator->Translate(text, options).status()));
  EXPECT_EQ(translator->Translate(text)->text, Shipped().Translate(text)->text);
}

TEST(StopTest, WithoutAStopOrADeadlineNothingChanges) {
  std::stop_source stop;
  TranslateOptions options;
  options.stop = stop.get_token();
  options.deadline = steady_clock::now() + hours(1);
  EXPECT_EQ(Shipped().Translate("I love you very much.", options)->text, "Ich liebe dich sehr.");
}

TEST(StopTest, ATranslatorWorksAfterAStop) {
  std::stop_source stop;
  std::jthread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
    stop.request_stop();
  });
  TranslateOptions options;
  options.stop = stop.get_token();
  options.search.beam_size = 4;
  const std::vector<std::string> many(5'000, "Where is the station?");
  EXPECT_TRUE(absl::IsCancelled(Shipped().TranslateBatch(many, options).status()));
  EXPECT_EQ(Shipped().Translate("I love you very much.")->text, "Ich liebe dich sehr.");
}

// --- Results before the call returns.

TEST(OnResultTest, IsCalledOnceWithEachReturnedText) {
  const std::vector<std::string> texts = Texts(50);
  std::map<size_t, std::string> seen;
  std::atomic<int> inside = 0;
  TranslateOptions options;
  options.batch_size = 4;
  options.on_result = [&](size_t index, const Translation& translation) {
    EXPECT_EQ(++inside, 1) << "calls overlap";
    EXPECT_TRUE(seen.emplace(index, translation.text).second) << "text " << index << " twice";
    --inside;
  };
  const auto translated = Shipped().TranslateBatch(texts, options);
  ASSERT_TRUE(translated.ok()) << translated.status();
  ASSERT_EQ(seen.size(), texts.size());
  for (size_t i = 0; i < texts.size(); ++i) EXPECT_EQ(seen[i], (*translated)[i].text);
}

TEST(OnResultTest, IsCalledForPairsAndSingleTexts) {
  std::vector<std::pair<size_t, bool>> seen;
  TranslateOptions options;
  options.on_result = [&](size_t index, const Translation& translation) {
    seen.emplace_back(index, translation.status.ok());
  };
  EXPECT_TRUE(Shipped().ScoreBatch({{"I am here.", "Ich bin hier."}}, options).ok());
  EXPECT_TRUE(Shipped().ScoreBatch({{"a", std::string(3000, 'x')}}, options).ok());
  EXPECT_TRUE(Shipped().Translate("I am here.", options).ok());
  EXPECT_THAT(seen,
              testing::ElementsAre(std::pair(0, true), std::pair(0, false), std::pair(0, true)));
}

// Traces made only for replace_unknowns are not returned.
TEST(OnResultTest, GetsTheTracesThatWereRequestedAndNoOthers) {
  size_t traces = 0;
  TranslateOptions options;
  options.replace_unknowns = true;
  options.on_result = [&](size_t, const Translation& translation) {
    traces = translation.traces.size();
  };
  ASSERT_TRUE(Shipped().Translate("I love you.", options).ok());
  EXPECT_EQ(traces, 0U);
  options.trace = TraceRequest{};
  ASSERT_TRUE(Shipped().Translate("I love you.", options).ok());
  EXPECT_EQ(traces, 1U);
}

TEST(OnResultTest, MayTranslate) {
  std::vector<std::string> back;
  TranslateOptions options;
  options.batch_size = 1;
  options.on_result = [&](size_t, const Translation&) {
    back.push_back(Shipped().TranslateBatch({"I am here.", "I am tired."})->front().text);
  };
  ASSERT_TRUE(Shipped().TranslateBatch(Texts(4), options).ok());
  EXPECT_EQ(back, std::vector<std::string>(5, "Ich bin hier."));
}

TEST(OnResultTest, ItsExceptionEndsTheCall) {
  TranslateOptions options;
  options.on_result = [](size_t, const Translation&) { throw std::runtime_error("no disk"); };
  const auto translated = Shipped().TranslateBatch(Texts(5), options);
  EXPECT_TRUE(absl::IsInternal(translated.status()));
  EXPECT_THAT(std::string(translated.status().message()), HasSubstr("no disk"));
  options.on_result = [](size_t, const Translation&) { throw std::ios_base::failure("full"); };
  EXPECT_TRUE(absl::IsInternal(Shipped().Translate("Hello.", options).status()));
  options.on_result = [](size_t, const Translation&) { throw 42; };
  EXPECT_TRUE(absl::IsInternal(Shipped().Translate("Hello.", options).status()));
}

// --- Threads and memory.

TEST(SharedPoolTest, TwoTranslatorsOnOnePoolTranslateAsAlone) {
  const auto pool = *ThreadPool::Create(3);
  const auto int8 = *Translator::Load(kModel, {.thread_pool = pool});
  const auto float32 =
      *Translator::Load(kModel, {.compute_type = ComputeType::kFloat32, .thread_pool = pool});
  const std::vector<std::string> texts = Texts(40);
  const auto expected = *Shipped().TranslateBatch(texts);
  std::vector<std::jthread> callers;
  for (const Translator* translator : {int8.get(), float32.get(), int8.get(), float32.get()}) {
    callers.emplace_back([&, translator] {
      for (int round = 0; round < 3; ++round) {
        const auto translated = translator->TranslateBatch(texts, {.batch_size = 4});
        ASSERT_TRUE(translated.ok()) << translated.status();
        for (size_t i = 0; i < texts.size(); ++i) {
          EXPECT_EQ((*translated)[i].text, expected[i].text);
        }
      }
    });
  }
}

TEST(SharedPoolTest, ItOutlivesItsTranslators) {
  const auto pool = *ThreadPool::Create(2);
  ASSERT_TRUE(Translator::Load(kModel, {.thread_pool = pool}).ok());
  std::atomic<int> calls = 0;
  const auto count = [&](size_t) {
    ++calls;
    return absl::OkStatus();
  };
  EXPECT_TRUE(pool->ParallelFor(10, count).ok());
  EXPECT_EQ(calls, 10);
}

TEST(SharedPoolTest, APoolAndANumberOfThreadsConflict) {
  const auto pool = *ThreadPool::Create(2);
  const auto translator = Translator::Load(kModel, {.threads = 2, .thread_pool = pool});
  EXPECT_TRUE(absl::IsInvalidArgument(translator.status()));
  EXPECT_THAT(std::string(translator.status().message()), HasSubstr("threads must be 0"));
}

TEST(LoadTest, OptionsAreCheckedBeforeTheModelIsRead) {
  const auto pool = *ThreadPool::Create(1);
  EXPECT_TRUE(absl::IsNotFound(Translator::Load("no/such/folder").status()));
  const auto translator = Translator::Load("no/such/folder", {.threads = 2, .thread_pool = pool});
  EXPECT_TRUE(absl::IsInvalidArgument(translator.status())) << translator.status();
}

#if !LIMPID_SANITIZED
TEST(TrimTest, FreesWhatCallsLeft) {
  const auto translator = *Translator::Load(kModel, {.threads = 1});
  const std::vector<std::string> texts(64, "The old man bought a red car yesterday.");
  ASSERT_TRUE(translator->TranslateBatch(texts).ok());
  translator->Trim();
  const size_t trimmed = AllocatedBytes();
  ASSERT_TRUE(translator->TranslateBatch(texts).ok());
  EXPECT_GT(AllocatedBytes(), trimmed + (1 << 18)) << "calls keep their buffers";
  translator->Trim();
  EXPECT_LE(AllocatedBytes(), trimmed + (1 << 16));
  EXPECT_EQ(translator->Translate("I love you very much.")->text, "Ich liebe dich sehr.");
}
#endif

TEST(TrimTest, MayRunDuringCalls) {
  std::jthread trimmer([](const std::stop_token& stop) {
    while (!stop.stop_requested()) Shipped().Trim();
  });
  const auto translated = Shipped().TranslateBatch(Texts(30), {.batch_size = 2});
  ASSERT_TRUE(translated.ok()) << translated.status();
  EXPECT_EQ(translated->front().text, "Ich liebe dich sehr.");
}

}  // namespace
}  // namespace limpid::internal

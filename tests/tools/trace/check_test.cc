#include "tools/trace/check.h"

#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::Not;

class TraceCheckTest : public testing::Test {
 protected:
  TraceCheckTest() {
    const auto translator = *Translator::Load("models/eng-deu");
    traces_ = translator->Translate("I love you.", {.trace = TraceRequest()})->traces;
  }
  AttentionTrace& Decoder() {
    for (AttentionTrace& trace : traces_[0].attentions) {
      if (trace.id.kind == AttentionKind::kDecoder) return trace;
    }
    return traces_[0].attentions[0];
  }
  std::vector<SentenceTrace> traces_;
};

TEST_F(TraceCheckTest, ATraceHolds) {
  const TraceReport report = CheckTraces(traces_);
  EXPECT_TRUE(report.holds) << report.text;
  EXPECT_THAT(report.text, Not(HasSubstr("FAILS")));
}

TEST_F(TraceCheckTest, AWeightThatIsOffBreaksIt) {
  Decoder().weights[0] += 1e-4F;
  const TraceReport report = CheckTraces(traces_);
  EXPECT_FALSE(report.holds);
  EXPECT_THAT(report.text, HasSubstr("FAILS   weights"));
  EXPECT_THAT(report.text, HasSubstr("decoder attention, layer 0, head 0, step 0"));
}

TEST_F(TraceCheckTest, AWeightOnTheFutureBreaksIt) {
  Decoder().weights[1] = 1e-9F;
  EXPECT_THAT(CheckTraces(traces_).text, HasSubstr("FAILS   masked"));
}

TEST_F(TraceCheckTest, AContextThatIsOffBreaksIt) {
  Decoder().context[3] += 1e-3F;
  EXPECT_THAT(CheckTraces(traces_).text, HasSubstr("FAILS   context"));
}

TEST_F(TraceCheckTest, NothingDoesNotHold) {
  const TraceReport report = CheckTraces({});
  EXPECT_FALSE(report.holds);
  EXPECT_THAT(report.text, Not(HasSubstr("holds")));
  EXPECT_THAT(report.text, HasSubstr("skipped weights = softmax(Q Kᵀ / √d)  not recorded"));
  EXPECT_THAT(report.text, HasSubstr("Checked 0 rows"));
  EXPECT_EQ(RunProgram({"trace", "--check", " "}).exit_code, 1);
}

// Like a model without decoder self-attention.
TEST_F(TraceCheckTest, WhatATraceLacksIsNotSaidToHold) {
  std::erase_if(traces_[0].attentions, [](const AttentionTrace& trace) {
    return trace.id.kind == AttentionKind::kDecoder;
  });
  const TraceReport report = CheckTraces(traces_);
  EXPECT_TRUE(report.holds);
  EXPECT_THAT(report.text, HasSubstr("skipped masked weights are 0"));
  EXPECT_THAT(report.text, HasSubstr("holds   weights"));
}

TEST_F(TraceCheckTest, TheProgramChecksItsOwnTrace) {
  const Outcome outcome = RunProgram({"trace", "--check", "I love you. Where is the station?"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.output;
  EXPECT_THAT(outcome.output, HasSubstr("holds   weights"));
}

}  // namespace
}  // namespace limpid::internal

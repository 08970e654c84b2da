#include "tools/trace/explain.h"

#include <cmath>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::Not;

const std::vector<SentenceTrace>& Traces() {
  static const std::vector<SentenceTrace>& traces = *[] {
    const auto translator = *Translator::Load("models/eng-deu", {.threads = 1});
    const auto scored = *translator->ScoreBatch(
        {{"I love you very much.", "Ich liebe dich sehr sehr."}}, {.trace = TraceRequest{}});
    return new std::vector<SentenceTrace>(scored[0].traces);
  }();
  return traces;
}

std::string Explained(const AttentionChoice& choice, const std::string& word, int width = 80) {
  const absl::StatusOr<std::string> text = Explain(Traces(), choice, word, width);
  EXPECT_TRUE(text.ok()) << text.status();
  return text.ok() ? *text : "";
}

std::string Error(const AttentionChoice& choice, const std::string& word) {
  return std::string(Explain(Traces(), choice, word, 80).status().message());
}

// Returns the lines that begin with `name`, split at spaces.
std::vector<std::vector<std::string>> Lines(const std::string& text, const std::string& name) {
  std::vector<std::vector<std::string>> lines;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    std::vector<std::string> cells = absl::StrSplit(line, ' ', absl::SkipEmpty());
    if (!cells.empty() && cells[0] == name) lines.push_back(cells);
  }
  return lines;
}

TEST(ExplainTest, NumbersAreThoseOfTheTrace) {
  const std::string text = Explained({.layer = 1, .head = 2}, "dich");
  const SentenceTrace& trace = Traces()[0];
  const AttentionTrace& cross = *trace.Find({AttentionKind::kCross, 1});
  const size_t query = 2;  // predicts ▁dich, after ▁Ich ▁liebe
  ASSERT_EQ(trace.target.tokens[query].piece, "▁dich");
  const size_t dim = cross.head_dim;
  for (size_t key = 0; key < static_cast<size_t>(cross.keys); ++key) {
    const auto lines = Lines(text, trace.source.tokens[key].piece);
    ASSERT_EQ(lines.size(), 2U);
    double product = 0;
    for (size_t i = 0; i < dim; ++i) {
      product += static_cast<double>(cross.q[(2 * cross.queries + query) * dim + i]) *
                 cross.k[(2 * cross.keys + key) * dim + i];
    }
    EXPECT_EQ(lines[0][1], absl::StrFormat("%.3f", product));
    EXPECT_NEAR(std::stod(lines[0][2]), product / std::sqrt(dim), 0.001);
    const float weight = cross.weight(2, query, key);
    EXPECT_EQ(lines[0][4], absl::StrFormat("%.1f%%", 100 * weight));
    EXPECT_EQ(lines[1][1], lines[0][4]);
    const double value = cross.v[(2 * cross.keys + key) * dim];
    EXPECT_NEAR(std::stod(lines[1][3]), value, 0.0051);
    EXPECT_NEAR(std::stod(lines[1][8]), value * weight, 0.0051);
  }
}

TEST(ExplainTest, WhatIsPrintedAddsUp) {
  for (const AttentionKind kind :
       {AttentionKind::kEncoder, AttentionKind::kDecoder, AttentionKind::kCross}) {
    const std::string text =
        Explained({.kind = kind}, kind == AttentionKind::kEncoder ? "very" : "dich");
    double share = 0;
    for (const char* head : {"0*", "1", "2", "3", "bias"}) {
      const auto lines = Lines(text, head);
      for (const auto& cells : lines) {
        if (cells.back().back() == '%') share += std::stod(cells.back());
      }
    }
    EXPECT_NEAR(share, 100, 0.3);
    EXPECT_EQ(Lines(text, "all")[0].back(), "100.0%");
    EXPECT_EQ(Lines(text, "sum")[0].back(), "100.0%");
  }
}

TEST(ExplainTest, SaysWhereQAndKAndVComeFrom) {
  const std::string cross = Explained({}, "dich");
  EXPECT_THAT(cross, HasSubstr("The query, Q: from the TARGET"));
  EXPECT_THAT(cross, HasSubstr("latest input is \"▁liebe\""));
  EXPECT_THAT(cross, HasSubstr("The keys, K: from the SOURCE\n"));
  EXPECT_THAT(cross, HasSubstr("The values, V: from the SOURCE"));
  const std::string encoder = Explained({.kind = AttentionKind::kEncoder, .layer = 0}, "very");
  EXPECT_THAT(encoder, HasSubstr("The query, Q: from the SOURCE"));
  EXPECT_THAT(encoder, HasSubstr("The token \"▁very\""));
  const std::string decoder = Explained({.kind = AttentionKind::kDecoder, .layer = 0}, "dich");
  EXPECT_THAT(decoder, HasSubstr("The keys, K: from the TARGET too"));
}

TEST(ExplainTest, TheDecoderShowsOnlyWhatTheQueryMaySee) {
  const std::string text = Explained({.kind = AttentionKind::kDecoder, .layer = 0}, "liebe");
  EXPECT_THAT(Lines(text, "▁Ich"), Not(testing::IsEmpty()));
  EXPECT_THAT(Lines(text, "▁liebe"), testing::IsEmpty());
  EXPECT_THAT(text, HasSubstr("Masked, with a weight of exactly 0"));
}

TEST(ExplainTest, TheInputRowIsOneStepLater) {
  const std::string text = Explained({.row = AlignmentRow::kInput}, "liebe");
  EXPECT_THAT(text, HasSubstr("How \"liebe\" is used as input"));
  EXPECT_THAT(text, HasSubstr("latest input is \"▁liebe\""));
}

TEST(ExplainTest, AWordThatOccursTwiceIsCounted) {
  EXPECT_THAT(Explained({}, "sehr"), HasSubstr("latest input is \"▁dich\""));
  EXPECT_EQ(Explained({}, "sehr:1"), Explained({}, "sehr"));
  EXPECT_THAT(Explained({}, "sehr:2"), HasSubstr("latest input is \"▁sehr\""));
  EXPECT_THAT(Error({}, "sehr:3"), HasSubstr("'sehr' occurs 2 times"));
}

TEST(ExplainTest, PiecesCanBeNamed) {
  const auto translator = *Translator::Load("models/eng-deu", {.threads = 1});
  const auto scored =
      *translator->ScoreBatch({{"I am 42.", "Ich bin 42."}}, {.trace = TraceRequest{}});
  const auto explained = [&](const std::string& word) {
    return *Explain(scored[0].traces, {}, word, 80);
  };
  EXPECT_THAT(explained("42"), HasSubstr("piece 1 of 2: 4 2"));
  EXPECT_THAT(explained("2"), HasSubstr("piece 2 of 2: 4 2"));
  EXPECT_THAT(Explained({}, "</s>"), HasSubstr("How \"</s>\" is predicted"));
}

TEST(ExplainTest, WhatIsNotThereIsRefusedSayingWhatIs) {
  EXPECT_EQ(Error({}, "mag"),
            "no word 'mag' in the translation; its words are: Ich liebe dich sehr sehr .");
  EXPECT_THAT(Error({.kind = AttentionKind::kEncoder}, "dich"),
              HasSubstr("in the source; its words are: I love you very much ."));
  EXPECT_EQ(Error({.layer = 7}, "dich"), "no layer 7 of cross-attention: its layers are 0 to 1");
  EXPECT_EQ(Error({.head = 9}, "dich"),
            "no head 9 of cross-attention: each layer's heads are 0 to 3");
  EXPECT_THAT(Error({.row = AlignmentRow::kInput}, "</s>"), HasSubstr("never a decoder input"));
}

}  // namespace
}  // namespace limpid::internal

#include "tools/trace/page.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::Not;

// One source word, two target tokens, one head.
SentenceTrace SmallTrace() {
  constexpr float kHidden = -std::numeric_limits<float>::infinity();
  SentenceTrace trace;
  trace.source = {"I", 0, {{"▁I", 5, 0, 0}, {"</s>", 0, -1, 0}}, {{"I", 0, 1}}};
  trace.target = {"Ich", 0, {{"▁Ich", 6, 0, 0}, {"</s>", 0, -1, 0}}, {{"Ich", 0, 3}}};
  trace.decoder_layers = 1;
  trace.decoder_start = "<pad>";
  AttentionTrace cross;
  cross.id = {AttentionKind::kCross, 0};
  cross.heads = {0};
  cross.queries = 2;
  cross.keys = 2;
  cross.head_dim = 2;
  cross.weights = {0.9F, 0.1F, 0.0004F, 0.9996F};
  cross.scores = {1.234F, -0.5F, 0, 2};
  cross.q = {1, -2, 0, 0};
  cross.head_output = {3, 4, 0, 0};
  AttentionTrace decoder = cross;
  decoder.id.kind = AttentionKind::kDecoder;
  decoder.weights = {1, 0, 0.25F, 0.75F};
  decoder.scores = {1, kHidden, 2, 3};
  trace.attentions = {decoder, cross};
  trace.predictions = {{{"▁Ich", 6, 0.8123F}, {"▁Wir", 7, 0.1F}}, {{"</s>", 0, 1}}};
  return trace;
}

Alignment SmallAlignment() {
  Alignment alignment;
  alignment.targets = 1;
  alignment.sources = 1;
  alignment.weights = {0.9F, 0.1F};
  return alignment;
}

std::string DataText(const std::string& page) {
  const std::string begin = R"(<script type="application/json" id="data">)";
  const size_t from = page.find(begin) + begin.size();
  return page.substr(from, page.find("</script>", from) - from);
}

std::string SmallPage(const SentenceTrace& trace) {
  const Alignment alignment = SmallAlignment();
  return FormatTracePage({&trace, 1}, {&alignment, 1}, {});
}

TEST(TracePageTest, HoldsTheTraceAtThePrecisionShown) {
  const json data = json::parse(DataText(SmallPage(SmallTrace())))["sentences"][0];
  EXPECT_EQ(data["source"]["text"], "I");
  EXPECT_EQ(data["target"]["words"], json({"Ich"}));
  EXPECT_EQ(data["target"]["tokens"][1]["word"], -1);
  EXPECT_EQ(data["alignment"], json::parse("[[900, 100]]"));
  EXPECT_EQ(data["aligned_by"]["layer"], 0);
  EXPECT_EQ(data["predictions"][0][0], json({"▁Ich", 812}));
  const json& cross = data["attentions"][1];
  EXPECT_EQ(cross["kind"], "cross");
  EXPECT_EQ(cross["weights"], json::parse("[[[900, 100], [0, 1000]]]"));
  EXPECT_EQ(cross["scores"], json::parse("[[[123, -50], [0, 200]]]"));
  EXPECT_EQ(cross["head_norms"], json::parse("[[500, 0]]"));
  EXPECT_FALSE(cross.contains("v"));  // it was not recorded
}

// 0.2349 is 23 % in the terminal; from 235 thousandths the page would make 24 %.
TEST(TracePageTest, SharesHaveThePercentThatTheTerminalShows) {
  const SentenceTrace trace = SmallTrace();
  Alignment alignment = SmallAlignment();
  alignment.weights = {0.2349F, 0.7651F};
  const json data =
      json::parse(DataText(FormatTracePage({&trace, 1}, {&alignment, 1}, {})))["sentences"][0];
  EXPECT_EQ(data["alignment"], json::parse("[[234, 766]]"));
}

TEST(TracePageTest, ARowEndsWithTheLastKeyThatItsQuerySees) {
  const json data = json::parse(DataText(SmallPage(SmallTrace())))["sentences"][0];
  const json& decoder = data["attentions"][0];
  EXPECT_EQ(decoder["weights"], json::parse("[[[1000], [250, 750]]]"));
  EXPECT_EQ(decoder["scores"], json::parse("[[[100], [200, 300]]]"));
}

TEST(TracePageTest, AVectorIsBytesTimesItsStep) {
  const json data = json::parse(DataText(SmallPage(SmallTrace())))["sentences"][0];
  const json& q = data["attentions"][1]["q"];
  std::string bytes;
  ASSERT_TRUE(absl::Base64Unescape(q["bytes"].get<std::string>(), &bytes));
  ASSERT_EQ(bytes.size(), 4U);
  const double step = q["steps"][0];
  EXPECT_NEAR(static_cast<int8_t>(bytes[0]) * step, 1, 2.0 / 127);
  EXPECT_NEAR(static_cast<int8_t>(bytes[1]) * step, -2, 2.0 / 127);
  EXPECT_EQ(bytes.substr(2), std::string(2, '\0'));
}

TEST(TracePageTest, NoTextCanLeaveTheData) {
  SentenceTrace trace = SmallTrace();
  trace.source.text = "</script><!-- \xE2\x80\xA8 <script> \"\\";
  const std::string page = SmallPage(trace);
  EXPECT_THAT(DataText(page), Not(HasSubstr("<")));
  EXPECT_EQ(json::parse(DataText(page))["sentences"][0]["source"]["text"], trace.source.text);
}

TEST(TracePageTest, IllFormedTextBecomesReplacementCharacters) {
  SentenceTrace trace = SmallTrace();
  trace.target.tokens[0].piece = "\xFF";
  const json data = json::parse(DataText(SmallPage(trace)))["sentences"][0];
  EXPECT_EQ(data["target"]["tokens"][0]["piece"], "\xEF\xBF\xBD");
}

TEST(TracePageTest, AsksForNothingFromTheNetwork) {
  const std::string page = SmallPage(SmallTrace());
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  // The only URL is SVG's namespace.
  const std::string svg = "http://www.w3.org/2000/svg";
  for (size_t at = page.find("://"); at != std::string::npos; at = page.find("://", at + 1)) {
    EXPECT_EQ(page.substr(at - 4, svg.size()), svg);
  }
  EXPECT_THAT(page, Not(HasSubstr("{{")));  // embed.cmake filled every place
}

TEST(TracePageTest, ThePageOfALongSentenceStaysSmall) {
  const std::string path = TemporaryPath("page.html");
  const Outcome outcome =
      RunProgram({"trace", "--html=" + path,
                  "Yesterday evening my old friend from Berlin told me that he would like to visit "
                  "his sister in the big city."});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.error;
  const std::string page = ReadTextFile(path);
  const json data = json::parse(DataText(page));
  ASSERT_EQ(data["sentences"].size(), 1U);
  EXPECT_EQ(data["sentences"][0]["source"]["words"].size(), 22U);
  EXPECT_EQ(data["sentences"][0]["attentions"].size(), 6U + 2U + 2U);
  EXPECT_LT(page.size(), 1'000'000U);
}

TEST(TracePageTest, ShowsTheSameShares) {
  const std::string path = TemporaryPath("page.html");
  const Outcome with = RunProgram({"trace", "--html=" + path, "I love you. Where is it?"});
  EXPECT_EQ(with.output, RunProgram({"trace", "I love you. Where is it?"}).output);
  const json data = json::parse(DataText(ReadTextFile(path)));
  ASSERT_EQ(data["sentences"].size(), 2U);
  for (const json& sentence : data["sentences"]) {
    for (const json& attention : sentence["attentions"]) {
      for (const json& row : attention["weights"][0]) {
        int sum = 0;
        for (const json& weight : row) sum += weight.get<int>();
        EXPECT_NEAR(sum, 1000, 0.5 * static_cast<double>(row.size()));
      }
    }
  }
}

TEST(TracePageTest, APlaceThatCannotBeWrittenIsAnError) {
  const Outcome outcome = RunProgram({"trace", "--html=/nowhere/page.html", "I love you."});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.error, HasSubstr("/nowhere/page.html"));
  EXPECT_EQ(CountLines(outcome.error), 1);
}

}  // namespace
}  // namespace limpid::internal

#include "tools/trace/heat_map.h"

#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::Not;

HeatMap SmallMap() {
  return {.title = "A map",
          .rows = {"Ich", "liebe"},
          .columns = {"I", "love", "(null)"},
          .shares = {1, 0, 0, 0.056F, 0.92F, 0.004F}};
}

TEST(HeatMapTest, WithoutColourMarksAndNumbersShowShares) {
  EXPECT_EQ(FormatHeatMap(SmallMap(), {.width = 80, .color = false}),
            "          I   love  (null)\n"
            "  Ich   @@100\n"
            "  liebe ..  6 %% 92\n");
}

TEST(HeatMapTest, InColourCellsAreTheBrighterTheLargerTheirShare) {
  EXPECT_EQ(FormatHeatMap(SmallMap(), {.width = 80, .color = true}),
            "          I   love  (null)\n"
            "  Ich   \x1b[48;5;227;38;5;16m 100 \x1b[0m \x1b[48;5;234;38;5;244m     \x1b[0m "
            "\x1b[48;5;234;38;5;244m      \x1b[0m\n"
            "  liebe \x1b[48;5;17;38;5;250m  6  \x1b[0m \x1b[48;5;191;38;5;16m 92  \x1b[0m "
            "\x1b[48;5;234;38;5;244m      \x1b[0m\n");
}

TEST(HeatMapTest, ColumnsThatDoNotFitFollowBelow) {
  const std::string text = FormatHeatMap(SmallMap(), {.width = 20, .color = false});
  EXPECT_EQ(text,
            "          I   love\n"
            "  Ich   @@100\n"
            "  liebe ..  6 %% 92\n"
            "\n"
            "        (null)\n"
            "  Ich\n"
            "  liebe\n");
}

TEST(HeatMapTest, NoLineIsWiderThanTheTerminal) {
  HeatMap map;
  map.rows = {"Donaudampfschifffahrtsgesellschaft", "日本語日本語日本語日本語", "a"};
  for (int i = 0; i < 30; ++i) map.columns.push_back(std::string(i, 'x') + "田");
  map.shares.assign(90, 0.5F);
  for (int width = 20; width < 130; width += 7) {
    for (const absl::string_view line :
         absl::StrSplit(FormatHeatMap(map, {.width = width, .color = false}), '\n')) {
      EXPECT_LE(DisplayWidth({line.data(), line.size()}), width) << line;
    }
  }
}

// Returns where a full cell's marks begin in each line after the first.
std::vector<int> ColumnsOfMarks(const std::string& text) {
  std::vector<int> columns;
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const size_t at = line.find("@@");
    if (at != absl::string_view::npos) columns.push_back(DisplayWidth({line.data(), at}));
  }
  return columns;
}

TEST(HeatMapTest, WideAndCombiningAndRightToLeftLabelsStayInLine) {
  HeatMap map;
  map.rows = {"abc", "日本", "e\u0301", "👩‍👩‍👧", "שלום", "\x1b[31m"};
  map.columns = {"田中さん", "e\u0301", "שלום", "!"};
  map.shares.assign(map.rows.size() * map.columns.size(), 0);
  for (size_t row = 0; row < map.rows.size(); ++row) map.shares[row * 4 + 3] = 1;
  const std::string text = FormatHeatMap(map, {.width = 80, .color = false});
  const int first = ColumnsOfMarks(text)[0];
  EXPECT_THAT(ColumnsOfMarks(text), testing::Each(first));
  EXPECT_THAT(ColumnsOfMarks(text), testing::SizeIs(map.rows.size()));
  // "!" must be centred in its column.
  const std::string head = text.substr(0, text.find('!'));
  EXPECT_EQ(DisplayWidth(head), first + 2);
  EXPECT_THAT(text, HasSubstr("\u2068שלום\u2069"));
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
}

TEST(SvgTest, TextIsTextAndEscaped) {
  HeatMap map = SmallMap();
  map.rows[0] = "<b>&\x01\uFFFF";
  const std::string svg = FormatSvg({map});
  EXPECT_THAT(svg, HasSubstr(">&lt;b&gt;&amp;\uFFFD\uFFFD</text>"));
  EXPECT_THAT(svg, HasSubstr(">love</text>"));
  EXPECT_THAT(svg, HasSubstr("fill-opacity=\"0.920\""));
  EXPECT_THAT(svg, HasSubstr(">92</text>"));
  EXPECT_THAT(svg, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(svg, Not(HasSubstr("<b>")));
}

TEST(SvgTest, WiderLabelsMakeAWiderImage) {
  HeatMap wide = SmallMap();
  wide.title = "";
  HeatMap wider = wide;
  for (int i = 0; i < 20; ++i) wider.columns.emplace_back("日本語日本語");
  wider.shares.resize(wider.rows.size() * wider.columns.size());
  const auto width = [](const HeatMap& map) {
    const std::string svg = FormatSvg({map});
    const size_t at = svg.find(" width=\"") + 8;
    return std::stod(svg.substr(at));
  };
  EXPECT_GT(width(wider), width(wide) + 300);
}

}  // namespace
}  // namespace limpid::internal

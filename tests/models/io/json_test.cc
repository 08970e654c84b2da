#include "models/io/json.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::HasSubstr;

TEST(JsonTest, ParsesWhatNlohmannParses) {
  const std::string text =
      R"({"a": [1, -2, 3.5, true, false, null, "ü\n", [], {}], "b": {"c": {"d": [[1], [2]]}}})";
  const auto document = ParseJson(text);
  ASSERT_TRUE(document.ok()) << document.status();
  EXPECT_EQ(*document, json::parse(text));
  EXPECT_EQ(*ParseJson("17"), 17);
}

TEST(JsonTest, RejectsWhatIsNotJson) {
  EXPECT_THAT(Message(ParseJson("")), HasSubstr("is not valid JSON: parse error at line 1"));
  EXPECT_THAT(Message(ParseJson("{\"a\": 1")), HasSubstr("is not valid JSON"));
  EXPECT_THAT(Message(ParseJson("[1] [2]")), HasSubstr("is not valid JSON"));
  EXPECT_THAT(Message(ParseJson("[1e999]")), HasSubstr("is not valid JSON"));
  EXPECT_THAT(Message(ParseJson("\"\xC3\"")), HasSubstr("is not valid JSON"));
  EXPECT_THAT(Message(ParseJson(std::string("[1\0]", 4))), HasSubstr("is not valid JSON"));
}

TEST(JsonTest, RejectsRepeatedKeys) {
  EXPECT_THAT(Message(ParseJson(R"({"x": 1, "y": {"x": 1}, "x": 2})")),
              HasSubstr("has the key \"x\" twice"));
}

TEST(JsonTest, RejectsDeepNesting) {
  const auto nested = [](int depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(Message(ParseJson(nested(16))), "");
  EXPECT_THAT(Message(ParseJson(nested(17))), HasSubstr("nested deeper than 16"));
  EXPECT_THAT(Message(ParseJson(std::string(10'000'000, '['))), HasSubstr("nested deeper"));
}

TEST(JsonTest, ParseJsonObjectRejectsOtherValues) {
  EXPECT_EQ(Message(ParseJsonObject("{}")), "");
  EXPECT_THAT(Message(ParseJsonObject("[]")), HasSubstr("expected a JSON object, found an array"));
}

TEST(JsonTest, IntsAreWholeAndInRange) {
  EXPECT_EQ(IntFromJson(json(-5)), -5);
  EXPECT_EQ(IntFromJson(json(2147483647)), 2147483647);
  EXPECT_EQ(IntFromJson(json(-2147483648)), -2147483648);
  for (const char* text : {"2147483648", "-2147483649", "18446744073709551615", "1.0", "\"1\"",
                           "null", "true", "[1]"}) {
    EXPECT_EQ(IntFromJson(json::parse(text)), std::nullopt) << text;
  }
}

TEST(JsonTest, FormatsOneStringPerLine) {
  EXPECT_EQ(*FormatStrings({"ü", "\"\n"}), "[\n\"ü\",\n\"\\\"\\n\"\n]\n");
  EXPECT_THAT(Message(FormatStrings({"\xFF"})), HasSubstr("not valid UTF-8"));
}

TEST(JsonTest, ShowsValuesShortAndEscaped) {
  EXPECT_EQ(Quoted("a\x1b\"ü"), "\"a\\033\\\"ü\"");
  const std::string long_text(99, 'a');
  EXPECT_EQ(Quoted(long_text + "ü"), absl::StrCat("\"", long_text, "…\""));
  EXPECT_EQ(Shown(json(1.5)), "1.5");
  EXPECT_EQ(Shown(json("x")), "\"x\"");
  EXPECT_EQ(Shown(json::array({1})), "an array");
  EXPECT_EQ(Shown(json::object()), "an object");
}

}  // namespace
}  // namespace limpid::internal

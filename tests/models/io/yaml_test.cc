#include "models/io/yaml.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(YamlTest, ReadsScalarsAndLists) {
  const auto mapping = ParseYaml(
      "type: transformer\n"
      "empty: \"\"\n"
      "dim-vocabs:\n  - 61\n  - 62\n"
      "none:\n  []\n"
      "\"\\xe4\\\"\": 5\n"
      "▁ü: 6\n");
  ASSERT_TRUE(mapping.ok()) << mapping.status();
  EXPECT_EQ(mapping->size(), 6U);
  EXPECT_FALSE(mapping->at("type").is_list);
  EXPECT_THAT(mapping->at("type").items, ElementsAre("transformer"));
  EXPECT_THAT(mapping->at("empty").items, ElementsAre(""));
  EXPECT_TRUE(mapping->at("dim-vocabs").is_list);
  EXPECT_THAT(mapping->at("dim-vocabs").items, ElementsAre("61", "62"));
  EXPECT_THAT(mapping->at("none").items, IsEmpty());
  EXPECT_THAT(mapping->at("ä\"").items, ElementsAre("5"));
  EXPECT_THAT(mapping->at("▁ü").items, ElementsAre("6"));
}

TEST(YamlTest, ErrorsNameTheLine) {
  const auto error = [](const std::string& text) { return Message(ParseYaml(text)); };
  EXPECT_THAT(error("a: 1\na: 2\n"), HasSubstr("line 2: expected each name once, found \"a\""));
  EXPECT_THAT(error("a: {b: 1}\n"), HasSubstr("line 1: expected a scalar, or a list"));
  EXPECT_THAT(error("a: [[1]]\n"), HasSubstr("line 1: expected a scalar, or a list"));
  EXPECT_THAT(error("a: &x 1\nb: *x\n"), HasSubstr("line 2: expected a scalar, or a list"));
  EXPECT_THAT(error("[a]: 1\n"), HasSubstr("line 1: expected a name"));
  EXPECT_THAT(error("- a\n"), HasSubstr("line 1: expected names with values"));
  EXPECT_THAT(error("# a\n"), HasSubstr("expected a YAML document"));
  EXPECT_THAT(error("a: 1\n---\nb: 2\n"), HasSubstr("expected one YAML document"));
  EXPECT_THAT(error("a: \"1\n"), HasSubstr("is not YAML: line"));
  EXPECT_THAT(error("a: \xff\n"), HasSubstr("is not YAML"));
}

// An empty file is mapped to zero bytes at a null address.
TEST(YamlTest, RejectsEmptyInput) {
  EXPECT_THAT(Message(ParseYaml("")), HasSubstr("expected a YAML document"));
  EXPECT_THAT(Message(ParseYaml(std::string_view())), HasSubstr("expected a YAML document"));
}

TEST(YamlTest, DeepNestingFailsAtOnce) {
  EXPECT_THAT(Message(ParseYaml("a: " + std::string(1'000'000, '['))),
              HasSubstr("expected a scalar, or a list"));
}

}  // namespace
}  // namespace limpid::internal

// Files designed to take as much memory per byte as possible.

#include "tests/fuzz/memory.h"

#include <memory>
#include <string>

#include "absl/functional/function_ref.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "models/io/json.h"
#include "models/io/yaml.h"
#include "tests/fuzz/target.h"
#include "tests/sanitized.h"

namespace limpid::internal::fuzz {
namespace {

constexpr int kTimes = 200'000;

// Repetitions of `before`, a number and `after`, all different.
std::string Numbered(const std::string& before, const std::string& after) {
  std::string text;
  for (int i = 0; i < kTimes; ++i) {
    absl::StrAppend(&text, before, absl::Hex(i, absl::kZeroPad5), after);
  }
  return text;
}

std::string Repeated(const std::string& part) {
  std::string text;
  for (int i = 0; i < kTimes; ++i) text += part;
  return text;
}

void ExpectInProportion(const std::string& file,
                        absl::FunctionRef<void(const std::string& file)> read) {
  const MemoryCounter memory;
  read(file);
  EXPECT_LE(memory.peak(), MaxMemory(file.size())) << file.size() << " bytes";
}

void RunTarget(const std::string& name, const std::string& input) {
  for (const Target& target : Targets()) {
    if (target.name == name) target.run(input);
  }
}

TEST(MemoryCounterTest, CountsThePeak) {
  if (kSanitized) GTEST_SKIP() << "sanitizers bring their own malloc";
  const MemoryCounter memory;
  constexpr size_t kSize = 1 << 20;
  for (int i = 0; i < 10; ++i) EXPECT_NE(std::make_unique<char[]>(kSize), nullptr);
  EXPECT_GE(memory.peak(), kSize);
  EXPECT_LT(memory.peak(), 2 * kSize);
}

TEST(DenseFileTest, Json) {
  for (const std::string& json :
       {absl::StrCat("[", Repeated("[],"), "0]"), absl::StrCat("[", Repeated("\"\","), "0]"),
        absl::StrCat("[", Repeated("{},"), "0]"), absl::StrCat("[", Repeated("[0],"), "0]"),
        absl::StrCat("[", Repeated("{\"\":0},"), "0]"),
        absl::StrCat("{", Numbered("\"", "\":0,"), "\"\":0}")}) {
    ExpectInProportion(json, [](const std::string& file) { EXPECT_TRUE(ParseJson(file).ok()); });
  }
}

TEST(DenseFileTest, Yaml) {
  for (const std::string& yaml : {absl::StrCat("a: [", Repeated("b,"), "b]"),
                                  absl::StrCat("a:\n", Repeated("-\n")), Numbered("", ":\n")}) {
    ExpectInProportion(yaml, [](const std::string& file) { EXPECT_TRUE(ParseYaml(file).ok()); });
  }
}

TEST(DenseFileTest, Pickle) {
  for (const std::string& pickle : {Repeated("}"), Repeated("]"), Repeated("N"), Repeated("("),
                                    Repeated(")\x85"), absl::StrCat("]", Repeated("Na"))}) {
    ExpectInProportion(pickle, [](const std::string& file) { RunTarget("torch_file", file); });
  }
}

TEST(DenseFileTest, SentencePiece) {
  // Field 1, a piece, whose field 1 is its text of five bytes; the first of them is <unk>.
  const std::string pieces =
      absl::StrCat("\x0a\x09\x0a\x05<unk>\x18\x02", Numbered("\x0a\x07\x0a\x05", ""));
  ExpectInProportion(pieces, [](const std::string& file) { RunTarget("sentencepiece", file); });
}

}  // namespace
}  // namespace limpid::internal::fuzz

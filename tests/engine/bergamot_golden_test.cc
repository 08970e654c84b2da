// The engine on a model in Firefox's layout, against the translations of Bergamot's engine.
// tests/golden/make_bergamot_golden.py makes both.

#include <fstream>
#include <string>
#include <utility>

#include "engine/math/linear.h"
#include "gtest/gtest.h"
#include "limpid/compute_type.h"
#include "limpid/translator.h"
#include "nlohmann/json.hpp"
#include "tests/engine/load_any.h"

namespace limpid::internal {
namespace {

constexpr char kFolder[] = "tests/golden/marian/bergamot";

// Returns how many sentences of a golden list are translated as by Bergamot, and how many it has.
std::pair<int, int> CountSame(const char* list, ComputeType type) {
  const auto translator = LoadAny(kFolder, {.compute_type = type, .threads = 1});
  if (!translator.ok()) {
    ADD_FAILURE() << translator.status();
    return {0, 1};
  }
  std::ifstream file(std::string(kFolder) + "/golden_bergamot.json");
  const nlohmann::json sentences = nlohmann::json::parse(file)[list];
  int same = 0;
  for (const auto& sentence : sentences) {
    const auto translation =
        (*translator)->Translate(sentence["source"].get<std::string>(), {.split_sentences = false});
    if (translation.ok() && translation->text == sentence["target"].get<std::string>()) ++same;
  }
  return {same, static_cast<int>(sentences.size())};
}

// With the input scales stored in the model, which are coarse.
TEST(BergamotGoldenTest, Int8TranslatesAsBergamotDoes) {
  if (ZeroPoint() < 128) GTEST_SKIP() << "without VNNI inputs have 7 bits: see the test below";
  const auto [same, all] = CountSame("sentences", ComputeType::kInt8);
  EXPECT_GT(all, 100);
  EXPECT_EQ(same, all);
}

// Inputs of 7 bits round differently from Bergamot's 8, which may change a translation.
TEST(BergamotGoldenTest, Int8WithoutVnniTranslatesAlmostAllAsBergamotDoes) {
  if (ZeroPoint() == 128) GTEST_SKIP() << "with VNNI all agree: see the test above";
  const auto [same, all] = CountSame("whatever_the_multipliers", ComputeType::kInt8);
  EXPECT_GE(same, all * 9 / 10);
}

TEST(BergamotGoldenTest, Float32TranslatesAsBergamotDoes) {
  const auto [same, all] = CountSame("whatever_the_multipliers", ComputeType::kFloat32);
  EXPECT_GT(all, 50);
  EXPECT_EQ(same, all);
}

}  // namespace
}  // namespace limpid::internal

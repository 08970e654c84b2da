// The engine on a model in Firefox's layout, against what Bergamot's engine translates with it.
// tests/golden/make_bergamot_golden.py made both.

#include <fstream>
#include <string>
#include <utility>

#include "engine/compute_type.h"
#include "engine/linear.h"
#include "engine/translator.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"

namespace limpid {
namespace {

constexpr char kFolder[] = "tests/golden/marian/bergamot";

// How many of the golden sentences come out as they do of Bergamot, and how many there are.
std::pair<int, int> Same(ComputeType type) {
  const auto translator = Translator::Load(kFolder, {.compute_type = type, .threads = 1});
  if (!translator.ok()) {
    ADD_FAILURE() << translator.status();
    return {0, 1};
  }
  std::ifstream file(std::string(kFolder) + "/golden_bergamot.json");
  const nlohmann::json sentences = nlohmann::json::parse(file)["sentences"];
  int same = 0;
  for (const auto& sentence : sentences) {
    const auto translation =
        (*translator)->Translate(sentence["source"].get<std::string>(), {.split_sentences = false});
    if (translation.ok() && translation->text == sentence["target"]) ++same;
  }
  return {same, static_cast<int>(sentences.size())};
}

TEST(BergamotGoldenTest, Int8TranslatesAsBergamotDoes) {
  if (InputZero() < 128) GTEST_SKIP() << "without VNNI inputs have 7 bits, Bergamot's 8";
  const auto [same, all] = Same(ComputeType::kInt8);
  EXPECT_GT(all, 100);
  EXPECT_EQ(same, all);
}

// The model's inputs are quantized so coarsely that a sentence may come out otherwise without.
TEST(BergamotGoldenTest, Float32TranslatesMostAsBergamotDoes) {
  const auto [same, all] = Same(ComputeType::kFloat32);
  EXPECT_GE(same, all * 8 / 10);
  EXPECT_LT(same, all);
}

}  // namespace
}  // namespace limpid

#include "tools/translation_json.h"

#include <cmath>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

using Json = nlohmann::ordered_json;

// Removes the noise of float32 from log-probabilities.
double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

Json TokensJson(const std::vector<Token>& tokens) {
  Json array = Json::array();
  for (const Token& token : tokens) {
    array.push_back({{"piece", token.piece},
                     {"id", token.id},
                     {"log_probability", Rounded(token.log_probability)}});
  }
  return array;
}

Json NBestJson(const NBestTranslation& translation) {
  Json object = {{"text", translation.text},
                 {"score", Rounded(translation.score)},
                 {"ranking_score", Rounded(translation.ranking_score)}};
  if (translation.alternative_at >= 0) object["alternative_at"] = translation.alternative_at;
  object["tokens"] = TokensJson(translation.tokens);
  return object;
}

Json AlignmentJson(const LineAlignment& line) {
  const Alignment& alignment = line.alignment;
  Json shares = Json::array();
  for (int target = 0; target < alignment.targets; ++target) {
    Json row = Json::array();
    for (int source = 0; source <= alignment.sources; ++source) {
      row.push_back(Rounded(alignment.weight(target, source)));
    }
    shares.push_back(std::move(row));
  }
  return {{"level", line.level == Level::kWord ? "word" : "piece"},
          {"source", line.source},
          {"target", line.target},
          {"links", Links(alignment)},
          {"shares", std::move(shares)}};
}

}  // namespace

std::string FormatJson(const Translation& translation,
                       const std::optional<LineAlignment>& alignment) {
  Json object = {{"text", translation.text},
                 {"score", Rounded(translation.score)},
                 {"tokens", TokensJson(translation.tokens)}};
  for (const NBestTranslation& other : translation.nbest) {
    object["nbest"].push_back(NBestJson(other));
  }
  if (alignment.has_value()) object["alignment"] = AlignmentJson(*alignment);
  return object.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace limpid::internal

#include "tools/translation_json.h"

#include <cmath>
#include <utility>
#include <vector>

#include "nlohmann/json.hpp"

namespace limpid {
namespace {

using Json = nlohmann::ordered_json;

// Cuts the noise of float32 off log-probabilities.
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

}  // namespace

std::string FormatJson(const Translation& translation) {
  Json object = {{"text", translation.text},
                 {"score", Rounded(translation.score)},
                 {"tokens", TokensJson(translation.tokens)}};
  for (const NBestTranslation& other : translation.nbest) {
    object["nbest"].push_back(NBestJson(other));
  }
  return object.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace);
}

}  // namespace limpid

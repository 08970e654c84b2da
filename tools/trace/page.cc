#include "tools/trace/page.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <numeric>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "nlohmann/json.hpp"
#include "tools/trace/attention_map.h"
#include "tools/trace/page/embedded.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

// Rounds a share to thousandths, never to the other side of half a percent: so that the page, which
// rounds them to percent, shows what the terminal shows.
int64_t Thousandths(float share) {
  const int64_t percent = std::lround(100 * share);
  return std::clamp<int64_t>(std::lround(1000 * share), 10 * percent - 4, 10 * percent + 4);
}

int64_t Hundredths(float value) { return std::lround(100 * value); }

// Returns values [heads, queries, keys] as nested lists of integers, without the keys that a query
// must not see.
json Cells(const AttentionTrace& attention, const std::vector<float>& values,
           int64_t (*to_integer)(float value)) {
  json heads = json::array();
  const size_t cells_per_head = static_cast<size_t>(attention.queries) * attention.keys;
  size_t row = 0;
  for (size_t begin = 0; begin < values.size(); begin += cells_per_head) {
    json rows = json::array();
    for (int query = 0; query < attention.queries; ++query, ++row) {
      json cells = json::array();
      for (int key = 0; key < VisibleKeys(attention, query); ++key) {
        cells.push_back(to_integer(values[row * attention.keys + key]));
      }
      rows.push_back(std::move(cells));
    }
    heads.push_back(std::move(rows));
  }
  return heads;
}

// Rounds to three significant digits, for short JSON.
double Shortened(float value) {
  return std::strtod(absl::StrFormat("%.3g", value).c_str(), nullptr);
}

// Returns the norm of each head's output, [heads, queries], in hundredths.
json HeadNorms(const AttentionTrace& attention) {
  json heads = json::array();
  if (attention.head_output.empty()) return heads;
  const size_t model_dim =
      attention.head_output.size() / (attention.heads.size() * attention.queries);
  const float* added = attention.head_output.data();
  for (size_t head = 0; head < attention.heads.size(); ++head) {
    json norms = json::array();
    for (int query = 0; query < attention.queries; ++query, added += model_dim) {
      const float square = std::inner_product(added, added + model_dim, added, 0.0F);
      norms.push_back(Hundredths(std::sqrt(square)));
    }
    heads.push_back(std::move(norms));
  }
  return heads;
}

// Quantizes consecutive vectors of `width` numbers to int8, each with a scale ("steps").
json Vectors(const std::vector<float>& values, int width) {
  constexpr float kLargest = 127;
  json steps = json::array();
  std::string bytes;
  bytes.reserve(values.size());
  for (size_t begin = 0; begin < values.size(); begin += width) {
    float largest = 0;
    for (int i = 0; i < width; ++i) largest = std::max(largest, std::abs(values[begin + i]));
    const double step = Shortened(largest / kLargest);
    steps.push_back(step);
    for (int i = 0; i < width; ++i) {
      const double level = step == 0 ? 0 : values[begin + i] / step;
      bytes += static_cast<char>(
          static_cast<int8_t>(std::clamp<double>(std::round(level), -kLargest, kLargest)));
    }
  }
  return {{"width", width}, {"steps", std::move(steps)}, {"bytes", absl::Base64Escape(bytes)}};
}

json AttentionToJson(const AttentionTrace& attention) {
  json object = {{"kind", std::string(AttentionKindName(attention.id.kind))},
                 {"layer", attention.id.layer},
                 {"heads", attention.heads},
                 {"weights", Cells(attention, attention.weights, Thousandths)},
                 {"scores", Cells(attention, attention.scores, Hundredths)},
                 {"norms", Cells(attention, attention.norms, Hundredths)},
                 {"joint_norms", Cells(attention, attention.joint_norms, Hundredths)},
                 {"head_norms", HeadNorms(attention)}};
  const std::pair<const char*, const std::vector<float>*> vectors[] = {
      {"q", &attention.q},
      {"k", &attention.k},
      {"v", &attention.v},
      {"context", &attention.context}};
  for (const auto& [name, values] : vectors) {
    if (!values->empty()) object[name] = Vectors(*values, attention.head_dim);
  }
  if (attention.queries > 0 && !attention.output.empty()) {
    object["output"] =
        Vectors(attention.output, static_cast<int>(attention.output.size()) / attention.queries);
  }
  return object;
}

json SideToJson(const TracedSide& side) {
  json object = {{"text", side.text}, {"tokens", json::array()}, {"words", json::array()}};
  for (const TracedToken& token : side.tokens) {
    object["tokens"].push_back({{"piece", token.piece}, {"word", token.word}});
  }
  for (const TracedWord& word : side.words) object["words"].push_back(word.text);
  return object;
}

json AlignmentToJson(const Alignment& alignment) {
  json rows = json::array();
  for (int target = 0; target < alignment.targets; ++target) {
    json row = json::array();
    for (int source = 0; source <= alignment.sources; ++source) {
      row.push_back(Thousandths(alignment.weight(target, source)));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

json SentenceToJson(const SentenceTrace& trace, const Alignment& alignment,
                    const AlignmentOptions& options) {
  const AlignmentOptions chosen = DefaultAlignment(trace, options);
  const char* row = chosen.row == AlignmentRow::kInput ? "input" : "output";
  const bool by_weight = chosen.measure == AlignmentMeasure::kWeight;
  json object = {
      {"source", SideToJson(trace.source)},
      {"target", SideToJson(trace.target)},
      {"start", trace.decoder_start},
      {"alignment", AlignmentToJson(alignment)},
      {"aligned_by",
       {{"layer", chosen.layer}, {"heads", chosen.heads}, {"row", row}, {"by_weight", by_weight}}},
      {"attentions", json::array()},
      {"predictions", json::array()}};
  for (const AttentionTrace& attention : trace.attentions) {
    object["attentions"].push_back(AttentionToJson(attention));
  }
  for (const std::vector<Prediction>& step : trace.predictions) {
    json predictions = json::array();
    for (const Prediction& prediction : step) {
      predictions.push_back({prediction.piece, Thousandths(prediction.probability)});
    }
    object["predictions"].push_back(std::move(predictions));
  }
  return object;
}

}  // namespace

std::string FormatTracePage(absl::Span<const SentenceTrace> traces,
                            absl::Span<const Alignment> alignments,
                            const AlignmentOptions& options) {
  assert(traces.size() == alignments.size());
  json sentences = json::array();
  for (size_t i = 0; i < traces.size(); ++i) {
    sentences.push_back(SentenceToJson(traces[i], alignments[i], options));
  }
  // Ill-formed UTF-8, which JSON cannot hold, becomes U+FFFD.
  const std::string data = json{{"sentences", std::move(sentences)}}.dump(
      -1, ' ', /*ensure_ascii=*/false, json::error_handler_t::replace);
  // "<" occurs only in JSON strings. Escaping it keeps text from ending the script element
  // ("</script>") or opening a comment ("<!--").
  return std::string(PageBeforeData()) + absl::StrReplaceAll(data, {{"<", "\\u003c"}}) +
         std::string(PageAfterData());
}

}  // namespace limpid::internal

#include "tools/trace/data.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/io/zip.h"
#include "nlohmann/json.hpp"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

constexpr int kFormat = 1;  // of TRACE_FORMAT.md

// The recorded parts of an attention, for both formats.
struct Part {
  const char* name;
  const std::vector<float>& numbers;
  std::vector<size_t> shape;
};

std::vector<Part> PartsOf(const AttentionTrace& attention) {
  const size_t heads = attention.heads.size();
  const size_t queries = attention.queries;
  const size_t keys = attention.keys;
  const size_t head_dim = attention.head_dim;
  const size_t model_dim = queries == 0 ? 0 : attention.output.size() / queries;
  return {{"weights", attention.weights, {heads, queries, keys}},
          {"scores", attention.scores, {heads, queries, keys}},
          {"q", attention.q, {heads, queries, head_dim}},
          {"k", attention.k, {heads, keys, head_dim}},
          {"v", attention.v, {heads, keys, head_dim}},
          {"context", attention.context, {heads, queries, head_dim}},
          {"head_output", attention.head_output, {heads, queries, model_dim}},
          {"norms", attention.norms, {heads, queries, keys}},
          {"joint_norms", attention.joint_norms, {queries, keys}},
          {"output", attention.output, {queries, model_dim}}};
}

// Returns the decoder's input at each step.
std::vector<std::string> DecoderInputs(const SentenceTrace& trace) {
  std::vector<std::string> inputs = {trace.decoder_start};
  for (const TracedToken& token : trace.target.tokens) inputs.push_back(token.piece);
  inputs.pop_back();
  return inputs;
}

// ---- JSON ----

// Keeps keys in order, and prints the shortest decimals that read back as the same float.
using Json = nlohmann::basic_json<nlohmann::ordered_map, std::vector, std::string, bool, int64_t,
                                  uint64_t, float>;

// Nests numbers by shape; `at` is the index of the next number.
Json Nested(const std::vector<float>& numbers, absl::Span<const size_t> shape, size_t* at) {
  Json array = Json::array();
  for (size_t i = 0; i < shape[0]; ++i) {
    array.push_back(shape.size() == 1 ? Json(numbers[(*at)++])
                                      : Nested(numbers, shape.subspan(1), at));
  }
  return array;
}

Json SideAsJson(const TracedSide& side, bool is_target) {
  Json json = {{"text", side.text}, {"words", Json::array()}, {"tokens", Json::array()}};
  for (const TracedWord& word : side.words) {
    json["words"].push_back({{"text", word.text}, {"begin", word.begin}, {"end", word.end}});
  }
  for (const TracedToken& token : side.tokens) {
    Json one = {{"piece", token.piece}, {"id", token.id}, {"word", nullptr}};
    if (token.word >= 0) one["word"] = token.word;
    if (is_target) one["log_probability"] = token.log_probability;
    json["tokens"].push_back(std::move(one));
  }
  return json;
}

Json AlignmentAsJson(const Alignment& alignment) {
  size_t at = 0;
  const size_t shape[] = {static_cast<size_t>(alignment.targets),
                          static_cast<size_t>(alignment.sources) + 1};
  return {{"weights", Nested(alignment.weights, shape, &at)},
          {"pharaoh", FormatPharaoh(alignment)}};
}

Json PredictionsAsJson(const SentenceTrace& trace) {
  Json steps = Json::array();
  for (const std::vector<Prediction>& step : trace.predictions) {
    Json& predictions = steps.emplace_back(Json::array());
    for (const Prediction& prediction : step) {
      predictions.push_back({{"piece", prediction.piece},
                             {"id", prediction.id},
                             {"probability", prediction.probability}});
    }
  }
  return steps;
}

Json AttentionAsJson(const AttentionTrace& attention) {
  Json json = {{"kind", std::string(AttentionKindName(attention.id.kind))},
               {"layer", attention.id.layer},
               {"heads", attention.heads},
               {"queries", attention.queries},
               {"keys", attention.keys},
               {"head_dim", attention.head_dim}};
  for (const Part& part : PartsOf(attention)) {
    size_t at = 0;
    if (!part.numbers.empty()) json[part.name] = Nested(part.numbers, part.shape, &at);
  }
  return json;
}

// ---- NumPy ----

// Returns an array file (numpy.lib.format, version 1.0). `type` is NumPy's, such as "<f4".
std::string Npy(const std::string& type, absl::Span<const size_t> shape, std::string_view data) {
  // Python's tuples of one element end with a comma.
  std::string header =
      absl::StrCat("{'descr': '", type, "', 'fortran_order': False, 'shape': (",
                   absl::StrJoin(shape, ","), shape.size() == 1 ? "," : "", "), }");
  constexpr size_t kPreamble = 10;
  constexpr size_t kAlignment = 64;
  const size_t end = kPreamble + header.size() + 1;
  header.append((kAlignment - end % kAlignment) % kAlignment, ' ').append("\n");
  const auto size = static_cast<uint16_t>(header.size());
  std::string npy("\x93NUMPY\x01\x00", 8);
  npy.append(reinterpret_cast<const char*>(&size), sizeof(size));
  return npy.append(header).append(data);
}

// Named arrays, sorted.
class Arrays {
 public:
  void AddFloats(const std::string& name, absl::Span<const float> numbers,
                 absl::Span<const size_t> shape) {
    files_[name + ".npy"] = Npy("<f4", shape, Bytes(numbers));
  }
  void AddInts(const std::string& name, absl::Span<const int32_t> numbers,
               absl::Span<const size_t> shape) {
    files_[name + ".npy"] = Npy("<i4", shape, Bytes(numbers));
  }
  // NumPy stores strings in UTF-32, padded to the longest.
  void AddStrings(const std::string& name, absl::Span<const std::string> strings,
                  absl::Span<const size_t> shape);

  absl::Status Write(const std::string& path) const;

 private:
  template <typename T>
  static std::string_view Bytes(absl::Span<const T> values) {
    return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
  }

  std::map<std::string, std::string> files_;
};

void Arrays::AddStrings(const std::string& name, absl::Span<const std::string> strings,
                        absl::Span<const size_t> shape) {
  std::vector<std::u32string> rows;
  size_t longest = 1;
  for (const std::string& text : strings) {
    rows.push_back(CodePoints(text));
    longest = std::max(longest, rows.back().size());
  }
  std::u32string data;
  for (std::u32string& row : rows) {
    row.resize(longest);
    data += row;
  }
  files_[name + ".npy"] =
      Npy(absl::StrCat("<U", longest), shape, Bytes(absl::Span<const char32_t>(data)));
}

absl::Status Arrays::Write(const std::string& path) const {
  std::vector<ZipEntry> entries;
  for (const auto& [name, file] : files_) {
    entries.push_back({name, {reinterpret_cast<const std::byte*>(file.data()), file.size()}});
  }
  return WriteZip(path, entries);
}

void AddSide(const std::string& name, const TracedSide& side, Arrays* arrays) {
  std::vector<std::string> pieces;
  std::vector<int32_t> ids;
  std::vector<int32_t> token_words;
  for (const TracedToken& token : side.tokens) {
    pieces.push_back(token.piece);
    ids.push_back(token.id);
    token_words.push_back(token.word);
  }
  std::vector<std::string> words;
  for (const TracedWord& word : side.words) words.push_back(word.text);
  arrays->AddStrings(name + ".text", {side.text}, {});
  arrays->AddStrings(name + ".words", words, {words.size()});
  arrays->AddStrings(name + ".pieces", pieces, {pieces.size()});
  arrays->AddInts(name + ".ids", ids, {ids.size()});
  arrays->AddInts(name + ".word_of_piece", token_words, {token_words.size()});
}

void AddPredictions(const std::string& name, const SentenceTrace& trace, Arrays* arrays) {
  if (trace.predictions.empty()) return;
  std::vector<std::string> pieces;
  std::vector<int32_t> ids;
  std::vector<float> probabilities;
  for (const std::vector<Prediction>& step : trace.predictions) {
    for (const Prediction& prediction : step) {
      pieces.push_back(prediction.piece);
      ids.push_back(prediction.id);
      probabilities.push_back(prediction.probability);
    }
  }
  const size_t shape[] = {trace.predictions.size(), trace.predictions[0].size()};
  arrays->AddStrings(name + ".pieces", pieces, shape);
  arrays->AddInts(name + ".ids", ids, shape);
  arrays->AddFloats(name + ".probabilities", probabilities, shape);
}

void AddSentence(const std::string& prefix, const AlignedTrace& sentence, Arrays* arrays) {
  const auto& [trace, alignment] = sentence;
  AddSide(prefix + "source", trace.source, arrays);
  AddSide(prefix + "target", trace.target, arrays);
  std::vector<float> log_probabilities;
  for (const TracedToken& token : trace.target.tokens) {
    log_probabilities.push_back(token.log_probability);
  }
  arrays->AddFloats(prefix + "target.log_probabilities", log_probabilities,
                    {log_probabilities.size()});
  const std::vector<std::string> inputs = DecoderInputs(trace);
  arrays->AddStrings(prefix + "decoder_inputs", inputs, {inputs.size()});
  arrays->AddFloats(
      prefix + "alignment", alignment.weights,
      {static_cast<size_t>(alignment.targets), static_cast<size_t>(alignment.sources) + 1});
  AddPredictions(prefix + "predictions", trace, arrays);
  for (const AttentionTrace& attention : trace.attentions) {
    const std::string name = absl::StrCat(prefix, std::string(AttentionKindName(attention.id.kind)),
                                          ".", attention.id.layer);
    for (const Part& part : PartsOf(attention)) {
      if (part.numbers.empty()) continue;
      arrays->AddFloats(absl::StrCat(name, ".", part.name), part.numbers, part.shape);
    }
  }
}

}  // namespace

std::string TracesAsJson(absl::Span<const AlignedTrace> sentences) {
  Json all = {{"limpid_trace", kFormat}, {"sentences", Json::array()}};
  for (const auto& [trace, alignment] : sentences) {
    Json& json = all["sentences"].emplace_back();
    json["source"] = SideAsJson(trace.source, /*is_target=*/false);
    json["target"] = SideAsJson(trace.target, /*is_target=*/true);
    json["decoder_inputs"] = DecoderInputs(trace);
    json["alignment"] = AlignmentAsJson(alignment);
    json["predictions"] = PredictionsAsJson(trace);
    json["attentions"] = Json::array();
    for (const AttentionTrace& attention : trace.attentions) {
      json["attentions"].push_back(AttentionAsJson(attention));
    }
  }
  // A vocabulary may hold pieces that are not UTF-8.
  return all.dump(-1, ' ', /*ensure_ascii=*/false, Json::error_handler_t::replace) + "\n";
}

absl::Status WriteNpz(const std::string& path, absl::Span<const AlignedTrace> sentences) {
  Arrays arrays;
  const auto count = static_cast<int32_t>(sentences.size());
  arrays.AddInts("limpid_trace", {kFormat}, {});
  arrays.AddInts("sentences", {count}, {});
  for (size_t i = 0; i < sentences.size(); ++i) {
    AddSentence(absl::StrCat("sentence", i, "."), sentences[i], &arrays);
  }
  return arrays.Write(path);
}

}  // namespace limpid::internal

#include "tools/trace/data.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "models/io/zip.h"
#include "nlohmann/json.hpp"
#include "tests/tools/program.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const std::vector<SentenceTrace>& Traces() {
  static const std::vector<SentenceTrace>& traces = *[] {
    const auto translator = *Translator::Load("models/eng-deu", {.threads = 1});
    return new std::vector<SentenceTrace>(
        translator->Translate("I love you. Where is it?", {.trace = TraceRequest{}})->traces);
  }();
  return traces;
}

std::vector<AlignedTrace> Aligned() {
  std::vector<AlignedTrace> aligned;
  for (const SentenceTrace& trace : Traces()) aligned.push_back({trace, *AlignWords(trace, {})});
  return aligned;
}

// The place of decoder self-attention of layer 0 among the attentions of a trace.
size_t FirstOfTheDecoder() {
  const std::vector<AttentionTrace>& attentions = Traces()[0].attentions;
  const auto found = std::find_if(attentions.begin(), attentions.end(), [](const auto& attention) {
    return attention.id.kind == AttentionKind::kDecoder;
  });
  return static_cast<size_t>(found - attentions.begin());
}

// An array in NumPy's format.
struct Array {
  std::string header;
  std::string data;
};

Array ReadArray(ZipReader& archive, const std::string& name) {
  const auto bytes = archive.Read(name + ".npy");
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  if (!bytes.ok()) return {};
  const std::string all(reinterpret_cast<const char*>(bytes->data()), bytes->size());
  EXPECT_EQ(all.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
  const size_t size =
      static_cast<unsigned char>(all[8]) + 256U * static_cast<unsigned char>(all[9]);
  EXPECT_EQ((10 + size) % 64, 0U);
  EXPECT_EQ(all[9 + size], '\n');
  return {all.substr(10, size), all.substr(10 + size)};
}

TEST(TraceDataTest, NumPyArraysHoldWhatWasRecorded) {
  const std::string path = TemporaryPath("trace.npz");
  ASSERT_TRUE(WriteNpz(path, Aligned()).ok());
  const auto archive = *ZipReader::Open(path);
  for (size_t i = 0; i < Traces().size(); ++i) {
    for (const AttentionTrace& attention : Traces()[i].attentions) {
      const std::string name = "sentence" + std::to_string(i) + "." +
                               std::string(AttentionKindName(attention.id.kind)) + "." +
                               std::to_string(attention.id.layer);
      const Array weights = ReadArray(*archive, name + ".weights");
      EXPECT_THAT(weights.header, HasSubstr("'descr': '<f4', 'fortran_order': False, 'shape': (4," +
                                            std::to_string(attention.queries) + "," +
                                            std::to_string(attention.keys) + "), }"));
      for (const auto& [part, numbers] :
           {std::pair{".weights", &attention.weights}, std::pair{".scores", &attention.scores},
            std::pair{".v", &attention.v}, std::pair{".head_output", &attention.head_output},
            std::pair{".output", &attention.output}}) {
        const Array array = ReadArray(*archive, name + part);
        ASSERT_EQ(array.data.size(), numbers->size() * sizeof(float)) << name << part;
        EXPECT_EQ(std::memcmp(array.data.data(), numbers->data(), array.data.size()), 0);
      }
    }
  }
}

TEST(TraceDataTest, NumPyStringsAreUtf32) {
  const std::string path = TemporaryPath("trace.npz");
  ASSERT_TRUE(WriteNpz(path, Aligned()).ok());
  const auto archive = *ZipReader::Open(path);
  const Array words = ReadArray(*archive, "sentence0.target.words");
  EXPECT_THAT(words.header, HasSubstr("'descr': '<U5', 'fortran_order': False, 'shape': (4,), }"));
  std::u32string text(words.data.size() / 4, U' ');
  std::memcpy(text.data(), words.data.data(), words.data.size());
  EXPECT_EQ(text, std::u32string(U"Ich\0\0liebedich\0.\0\0\0\0", 20));
  EXPECT_THAT(ReadArray(*archive, "sentence0.target.text").header, HasSubstr("'shape': (), }"));
}

TEST(TraceDataTest, NumPyArraysHoldThePredictions) {
  const std::string path = TemporaryPath("trace.npz");
  ASSERT_TRUE(WriteNpz(path, Aligned()).ok());
  const auto archive = *ZipReader::Open(path);
  const std::vector<std::vector<Prediction>>& steps = Traces()[0].predictions;
  const Array ids = ReadArray(*archive, "sentence0.predictions.ids");
  const Array probabilities = ReadArray(*archive, "sentence0.predictions.probabilities");
  const std::string shape = "'shape': (" + std::to_string(steps.size()) + ",5), }";
  EXPECT_THAT(ids.header, HasSubstr("'descr': '<i4', 'fortran_order': False, " + shape));
  EXPECT_THAT(probabilities.header, HasSubstr("'descr': '<f4', 'fortran_order': False, " + shape));
  EXPECT_THAT(ReadArray(*archive, "sentence0.predictions.pieces").header, HasSubstr(shape));
  std::vector<Prediction> expected;
  for (const auto& step : steps) expected.insert(expected.end(), step.begin(), step.end());
  ASSERT_EQ(ids.data.size(), expected.size() * sizeof(int32_t));
  ASSERT_EQ(probabilities.data.size(), expected.size() * sizeof(float));
  for (size_t i = 0; i < expected.size(); ++i) {
    int32_t id = -1;
    float probability = -1;
    std::memcpy(&id, &ids.data[i * sizeof(id)], sizeof(id));
    std::memcpy(&probability, &probabilities.data[i * sizeof(probability)], sizeof(probability));
    EXPECT_EQ(id, expected[i].id);
    EXPECT_EQ(probability, expected[i].probability);
  }
}

TEST(TraceDataTest, JsonHoldsTheSame) {
  const nlohmann::json json = nlohmann::json::parse(TracesAsJson(Aligned()));
  EXPECT_EQ(json["limpid_trace"], 1);
  ASSERT_EQ(json["sentences"].size(), 2U);
  const nlohmann::json& sentence = json["sentences"][0];
  EXPECT_EQ(sentence["target"]["text"], "Ich liebe dich.");
  EXPECT_EQ(sentence["target"]["words"][1]["text"], "liebe");
  EXPECT_EQ(sentence["source"]["tokens"][1]["piece"], "▁love");
  EXPECT_TRUE(sentence["source"]["tokens"].back()["word"].is_null());
  EXPECT_EQ(sentence["decoder_inputs"].size(), sentence["target"]["tokens"].size());
  EXPECT_EQ(sentence["decoder_inputs"][1], sentence["target"]["tokens"][0]["piece"]);
  EXPECT_EQ(sentence["alignment"]["weights"].size(), 4U);
  EXPECT_EQ(sentence["alignment"]["weights"][0].size(), 5U);
  EXPECT_EQ(sentence["predictions"][2].size(), 5U);
  ASSERT_EQ(sentence["attentions"].size(), Traces()[0].attentions.size());
  const size_t at = FirstOfTheDecoder() + 2;  // layer 1, after cross-attention of layer 0
  const AttentionTrace& recorded = Traces()[0].attentions[at];
  const nlohmann::json& attention = sentence["attentions"][at];
  EXPECT_EQ(attention["kind"], "decoder");
  EXPECT_EQ(attention["weights"][2][1][0].get<float>(), recorded.weight(2, 1, 0));
  const size_t last = recorded.output.size() / recorded.queries - 1;
  EXPECT_EQ(attention["output"][0][last].get<float>(), recorded.output[last]);
}

TEST(TraceDataTest, JsonHasNoInfinity) {
  const std::string text = TracesAsJson(Aligned());
  const nlohmann::json json = nlohmann::json::parse(text);  // refuses NaN and Infinity
  const nlohmann::json& decoder = json["sentences"][0]["attentions"][FirstOfTheDecoder()];
  ASSERT_EQ(decoder["kind"], "decoder");
  EXPECT_TRUE(decoder["scores"][0][0][1].is_null());
  EXPECT_TRUE(decoder["scores"][0][1][1].is_number());
  EXPECT_EQ(decoder["weights"][0][0][1], 0);
}

TEST(TraceDataTest, AFileThatCannotBeWrittenIsNamed) {
  const absl::Status status = WriteNpz("no/such/folder/trace.npz", Aligned());
  EXPECT_THAT(std::string(status.message()), HasSubstr("no/such/folder/trace.npz: cannot create"));
}

}  // namespace
}  // namespace limpid::internal

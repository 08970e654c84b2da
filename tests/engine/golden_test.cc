// The engine against Hugging Face transformers and PyTorch, for the same weights and text.
// tests/golden/README.md describes the files.

#include <cmath>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "engine/searcher.h"
#include "engine/trace/tracer.h"
#include "engine/transformer/transformer.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/native/safetensors.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {
namespace {

constexpr double kTolerance = 2e-4;
constexpr char kGolden[] = "tests/golden";

std::vector<std::string> ModelsWithGoldenData() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(kGolden)) {
    const std::string name = entry.path().filename();
    if (std::filesystem::exists(entry.path() / "golden.json")) {
      names.push_back(name);
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

std::string ReadFile(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class GoldenTest : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    const std::filesystem::path folder = std::filesystem::path(kGolden) / GetParam();
    // Small models lie beside their data; the shipped one does not.
    std::string model = GetParam() == "eng-deu" ? "models/eng-deu" : folder.string();
    if (std::filesystem::exists(folder / "model.pt")) model = folder / "model.pt";
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(model);
    ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
    config_ = checkpoint->config;
    weights_ = *BindWeights(config_, checkpoint->tensors);
    transformer_.emplace(*std::move(checkpoint), weights_, ComputeType::kFloat32);

    sentences_ = nlohmann::json::parse(ReadFile(folder / "golden.json"));
    logit_stride_ = sentences_["logit_stride"];
    has_attentions_ = sentences_["made_by"] == "transformers";
    sentences_ = sentences_["sentences"];
    ASSERT_FALSE(sentences_.empty());
    tensor_bytes_ = ReadFile(folder / "golden.safetensors");
    absl::StatusOr<SafetensorsFile> file = ParseSafetensors(absl::MakeConstSpan(
        reinterpret_cast<const std::byte*>(tensor_bytes_.data()), tensor_bytes_.size()));
    ASSERT_TRUE(file.ok()) << file.status();
    tensors_ = std::move(file->tensors);
  }

  const TensorView& Golden(size_t sentence, const std::string& part) const {
    return tensors_.at(std::to_string(sentence) + "." + part);
  }

  // All source sentences as one batch: neighbours must make no difference.
  SourceBatch AllSources() const {
    SourceBatch batch;
    for (const auto& sentence : sentences_) {
      batch.Add(sentence["source_ids"].get<std::vector<int>>());
    }
    return batch;
  }

  const SingleThreadScope single_thread_;
  ModelConfig config_;
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  nlohmann::json sentences_;
  int logit_stride_ = 1;
  bool has_attentions_ = false;
  std::string tensor_bytes_;
  TensorMap tensors_;
  Execution exec_;
  CrossAttentionCache cross_cache_;
  SelfAttentionCache self_cache_;
  ActiveVocabulary vocabulary_;  // all tokens
};

TEST_P(GoldenTest, EncoderOutputAgrees) {
  const Encoder encoder(config_, weights_, ComputeType::kFloat32);
  const SourceBatch all = AllSources();
  for (int sentence = 0; sentence < all.sentences(); ++sentence) {
    SourceBatch alone;
    alone.Add(all.ids(sentence));
    const Matrix& output = encoder.Encode(alone, {0, 1}, exec_);
    const TensorView& golden = Golden(sentence, "encoder_output");
    ASSERT_EQ(golden.rows(), alone.tokens());
    std::vector<float> expected(config_.model_dim);
    for (int token = 0; token < alone.tokens(); ++token) {
      ReadRow(golden, token, expected.data());
      const float* row = output.row(token);
      for (int i = 0; i < config_.model_dim; ++i) ASSERT_NEAR(row[i], expected[i], kTolerance);
    }
  }
}

// The logits of each step after the golden output so far.
TEST_P(GoldenTest, LogitsAgree) {
  ModelConfig config = config_;
  config.bad_words.clear();  // the golden logits are not masked
  const Decoder decoder(config, weights_, ComputeType::kFloat32);
  const SourceBatch batch = AllSources();
  transformer_->Encode(batch, cross_cache_, exec_);
  self_cache_.Reset(config_.decoder_layers, config_.model_dim, batch.sentences());
  for (int sentence = 0; sentence < batch.sentences(); ++sentence) {
    SCOPED_TRACE(testing::Message() << "sentence " << sentence);
    const std::vector<int> output = sentences_[sentence]["output_ids"];
    std::vector<DecoderInput> inputs;
    for (size_t step = 0; step < output.size(); ++step) {
      const int token = step == 0 ? config_.decoder_start_id : output[step - 1];
      inputs.push_back({token, static_cast<int>(step), sentence, sentence});
    }
    Matrix all_logits;
    decoder.output().Apply(decoder.Step({inputs, batch, cross_cache_, self_cache_}, exec_),
                           vocabulary_, all_logits, exec_.gemm);

    const std::vector<float> sampled = ReadAll(Golden(sentence, "logits"));
    const std::vector<float> top_ids = ReadAll(Golden(sentence, "top_ids"));
    const std::vector<float> top = ReadAll(Golden(sentence, "top_logits"));
    const std::vector<float> log_sum_exp = ReadAll(Golden(sentence, "log_sum_exp"));
    const size_t samples = sampled.size() / output.size();
    const size_t tops = top.size() / output.size();
    for (size_t step = 0; step < output.size(); ++step) {
      const float* logits = all_logits.row(static_cast<int>(step));
      for (size_t i = 0; i < samples; ++i) {
        ASSERT_NEAR(logits[i * logit_stride_], sampled[step * samples + i], kTolerance);
      }
      for (size_t i = 0; i < tops; ++i) {
        const int id = static_cast<int>(top_ids[step * tops + i]);
        ASSERT_NEAR(logits[id], top[step * tops + i], kTolerance);
      }
      ASSERT_NEAR(ArgMax(logits, config_.target_vocab_size).log_sum_exp, log_sum_exp[step],
                  kTolerance);
    }
  }
}

TEST_P(GoldenTest, GreedyOutputIsTheSame) {
  const FastOutput fast_output(transformer_->output(), /*drafts=*/false);
  const SourceBatch batch = AllSources();
  // The data has either one limit for all sentences or Limpid's own, 3 · source tokens + 20.
  int limit = sentences_[0]["max_output_tokens"];
  if (limit == 3 * batch.length(0) + 20) limit = 0;
  for (const FastOutput* output : {static_cast<const FastOutput*>(nullptr), &fast_output}) {
    Searcher searcher(*transformer_, output);
    const std::vector<Hypotheses>& found =
        searcher.Search(batch, {{.max_output_tokens = limit}, TokenConstraints()});
    for (size_t sentence = 0; sentence < sentences_.size(); ++sentence) {
      const auto& golden = sentences_[sentence];
      SCOPED_TRACE(golden["source"]);
      ASSERT_EQ(golden["max_output_tokens"],
                limit == 0 ? 3 * batch.length(static_cast<int>(sentence)) + 20 : limit);
      EXPECT_EQ(found[sentence][0].ids, golden["output_ids"].get<std::vector<int>>());
      EXPECT_THAT(found[sentence][0].log_probabilities,
                  testing::Pointwise(testing::FloatNear(kTolerance),
                                     golden["log_probabilities"].get<std::vector<float>>()));
    }
  }
}

// The attention weights of a trace equal output_attentions of transformers.
TEST_P(GoldenTest, TracedWeightsAgree) {
  const SourceBatch batch = AllSources();
  std::vector<std::vector<int>> outputs;
  for (const auto& sentence : sentences_) outputs.push_back(sentence["output_ids"]);
  const std::vector<absl::Span<const int>> targets(outputs.begin(), outputs.end());
  const TraceRequest request;
  const std::vector<TeacherForcing> traces = Tracer(*transformer_).Run(batch, targets, &request);
  size_t compared = 0;
  for (size_t sentence = 0; sentence < traces.size(); ++sentence) {
    for (const AttentionTrace& trace : traces[sentence].attentions) {
      std::string part(AttentionKindName(trace.id.kind));
      part += trace.id.kind == AttentionKind::kCross ? "_attention" : "_self_attention";
      const auto golden = tensors_.find(std::to_string(sentence) + "." + part);
      if (golden == tensors_.end()) continue;
      const std::vector<float> layers = ReadAll(golden->second);
      const size_t size = trace.weights.size();
      ASSERT_GE(layers.size(), size * (trace.id.layer + 1));
      for (size_t i = 0; i < size; ++i) {
        ASSERT_NEAR(trace.weights[i], layers[size * trace.id.layer + i], 1e-4)
            << part << " of sentence " << sentence;
      }
      ++compared;
    }
  }
  size_t expected = 0;
  for (const auto& [name, tensor] : tensors_) {
    if (!name.ends_with("attention")) continue;
    expected += name.find(".encoder") == std::string::npos ? config_.decoder_layers
                                                           : config_.encoder_layers;
  }
  EXPECT_EQ(compared, expected);
  EXPECT_EQ(expected > 0, has_attentions_) << "only data made by transformers has attentions";
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenTest, testing::ValuesIn(ModelsWithGoldenData()),
                         [](const auto& param) {
                           std::string name = param.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

}  // namespace
}  // namespace limpid::internal

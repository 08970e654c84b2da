// Traces of random models against the oracle, which computes attention as the paper writes it.

#include "engine/trace/tracer.h"

#include <cmath>
#include <limits>
#include <optional>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/reference/random_model.h"
#include "tests/reference/reference.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr double kTolerance = 1e-5;

class TracerTest : public testing::Test {
 protected:
  TracerTest() {
    ModelConfig config = reference::SmallConfig();
    config.encoder_heads = 2;  // unlike the decoder's, to catch a mix-up of the sides
    config.bad_words = {3};
    Checkpoint checkpoint = reference::RandomModel(config, /*seed=*/21);
    config_ = checkpoint.config;
    weights_ = *BindWeights(config_, checkpoint.tensors);
    transformer_.emplace(std::move(checkpoint), weights_, ComputeType::kFloat32);
    oracle_.emplace(config_, weights_);
    for (const std::vector<int>& source : sources_) batch_.Add(source);
  }

  std::vector<TeacherForcing> Run(const TraceRequest* request) {
    Tracer tracer(*transformer_);
    const std::vector<absl::Span<const int>> targets(targets_.begin(), targets_.end());
    return tracer.Run(batch_, targets, request);
  }

  // The decoder's inputs: the start token, then the target without its last token.
  std::vector<int> Inputs(size_t sentence) const {
    std::vector<int> inputs = {config_.decoder_start_id};
    inputs.insert(inputs.end(), targets_[sentence].begin(), targets_[sentence].end() - 1);
    return inputs;
  }

  const AttentionWeights& WeightsOf(AttentionId id) const {
    switch (id.kind) {
      case AttentionKind::kEncoder:
        return weights_.encoder_layers[id.layer].self_attention;
      case AttentionKind::kDecoder:
        return weights_.decoder_layers[id.layer].self_attention;
      case AttentionKind::kCross:
        break;
    }
    return weights_.decoder_layers[id.layer].cross_attention;
  }

  const AttentionTrace& Find(const TeacherForcing& result, AttentionId id) const {
    for (const AttentionTrace& trace : result.attentions) {
      if (trace.id == id) return trace;
    }
    ADD_FAILURE() << "no trace of " << AttentionKindName(id.kind) << " " << id.layer;
    return result.attentions.front();
  }

  const SingleThreadScope single_thread_;
  std::vector<std::vector<int>> sources_ = {{4, 9, 2, 30, 0}, {7, 0}, {5, 5, 6, 8, 11, 13, 0}};
  std::vector<std::vector<int>> targets_ = {{8, 2, 0}, {21, 22, 23, 24, 0}, {9, 0}};
  ModelConfig config_;
  ModelWeights weights_;
  std::optional<Transformer> transformer_;
  std::optional<reference::Transformer> oracle_;
  SourceBatch batch_;
};

TEST_F(TracerTest, WeightsAreThoseOfTheOracle) {
  const TraceRequest everything;
  const std::vector<TeacherForcing> results = Run(&everything);
  for (size_t s = 0; s < sources_.size(); ++s) {
    reference::Attentions expected;
    oracle_->Decode(oracle_->Encode(sources_[s], &expected), Inputs(s), &expected);
    const auto compare = [&](AttentionKind kind, const auto& layers) {
      for (size_t layer = 0; layer < layers.size(); ++layer) {
        const AttentionTrace& trace = Find(results[s], {kind, static_cast<int>(layer)});
        ASSERT_THAT(trace.heads, SizeIs(layers[layer].size()));
        for (size_t head = 0; head < layers[layer].size(); ++head) {
          ASSERT_EQ(trace.queries, static_cast<int>(layers[layer][head].size()));
          for (int query = 0; query < trace.queries; ++query) {
            for (int key = 0; key < trace.keys; ++key) {
              ASSERT_NEAR(trace.weight(head, query, key), layers[layer][head][query][key],
                          kTolerance);
            }
          }
        }
      }
    };
    compare(AttentionKind::kEncoder, expected.encoder);
    compare(AttentionKind::kDecoder, expected.decoder);
    compare(AttentionKind::kCross, expected.cross);
  }
}

// softmax(scores) = weights; scores = q · k / √head_dim; weights · v = context; and the projected
// contexts of all heads are the output.
TEST_F(TracerTest, PartsAreConsistent) {
  const TraceRequest everything;
  for (const TeacherForcing& result : Run(&everything)) {
    ASSERT_THAT(result.attentions, SizeIs(6));
    for (const AttentionTrace& trace : result.attentions) {
      for (size_t head = 0; head < trace.heads.size(); ++head) {
        for (int query = 0; query < trace.queries; ++query) {
          double sum = 0;
          std::vector<double> context(trace.head_dim);
          const float* q = &trace.q[(head * trace.queries + query) * trace.head_dim];
          for (int key = 0; key < trace.keys; ++key) {
            const size_t at = (head * trace.keys + key) * trace.head_dim;
            const bool masked = trace.id.kind == AttentionKind::kDecoder && key > query;
            const float score = trace.scores[(head * trace.queries + query) * trace.keys + key];
            if (masked) {
              EXPECT_EQ(trace.weight(head, query, key), 0);
              EXPECT_EQ(score, -std::numeric_limits<float>::infinity());
              continue;
            }
            double dot = 0;
            for (int i = 0; i < trace.head_dim; ++i) dot += q[i] * trace.k[at + i];
            EXPECT_NEAR(score, dot / std::sqrt(trace.head_dim), kTolerance * 10);
            sum += trace.weight(head, query, key);
            for (int i = 0; i < trace.head_dim; ++i) {
              context[i] += trace.weight(head, query, key) * trace.v[at + i];
            }
          }
          EXPECT_NEAR(sum, 1, kTolerance);
          for (int i = 0; i < trace.head_dim; ++i) {
            EXPECT_NEAR(trace.context[(head * trace.queries + query) * trace.head_dim + i],
                        context[i], kTolerance);
          }
        }
      }
      const AttentionWeights& weights = WeightsOf(trace.id);
      const std::vector<float> matrix = ReadAll(weights.output.weight);  // [out, in]
      const std::vector<float> bias = ReadAll(weights.output.bias);
      const int model_dim = config_.model_dim;
      for (int query = 0; query < trace.queries; ++query) {
        for (int out = 0; out < model_dim; ++out) {
          double expected = bias[out];
          for (int in = 0; in < model_dim; ++in) {
            const size_t head = in / trace.head_dim;
            expected +=
                matrix[out * model_dim + in] *
                trace
                    .context[(head * trace.queries + query) * trace.head_dim + in % trace.head_dim];
          }
          EXPECT_NEAR(trace.output[query * model_dim + out], expected, kTolerance * 10);
        }
      }
    }
  }
}

// Each head's part of the output, and each key's part of that, recomputed from the model's weights.
TEST_F(TracerTest, HeadsAndKeysAddUpToTheOutput) {
  const TraceRequest everything;
  for (const TeacherForcing& result : Run(&everything)) {
    for (const AttentionTrace& trace : result.attentions) {
      const std::vector<float> matrix = ReadAll(WeightsOf(trace.id).output.weight);  // [out, in]
      const std::vector<float> bias = ReadAll(WeightsOf(trace.id).output.bias);
      const size_t model_dim = config_.model_dim;
      const size_t head_dim = trace.head_dim;
      const size_t heads = trace.heads.size();
      ASSERT_THAT(trace.head_output, SizeIs(heads * trace.queries * model_dim));
      ASSERT_THAT(trace.norms, SizeIs(trace.weights.size()));
      ASSERT_THAT(trace.joint_norms, SizeIs(trace.weights.size() / heads));
      for (size_t query = 0; query < static_cast<size_t>(trace.queries); ++query) {
        std::vector<double> output(bias.begin(), bias.end());
        std::vector<std::vector<double>> by_key(trace.keys, std::vector<double>(model_dim));
        for (size_t head = 0; head < heads; ++head) {
          std::vector<double> by_head(model_dim);
          for (int key = 0; key < trace.keys; ++key) {
            double squares = 0;
            for (size_t out = 0; out < model_dim; ++out) {
              double projected = 0;
              for (size_t i = 0; i < head_dim; ++i) {
                projected += trace.v[(head * trace.keys + key) * head_dim + i] *
                             matrix[out * model_dim + head * head_dim + i];
              }
              projected *= trace.weight(head, static_cast<int>(query), key);
              squares += projected * projected;
              by_key[key][out] += projected;
              by_head[out] += projected;
            }
            EXPECT_NEAR(trace.norms[(head * trace.queries + query) * trace.keys + key],
                        std::sqrt(squares), kTolerance);
          }
          for (size_t out = 0; out < model_dim; ++out) {
            const float got = trace.head_output[(head * trace.queries + query) * model_dim + out];
            EXPECT_NEAR(got, by_head[out], kTolerance);
            output[out] += got;
          }
        }
        for (int key = 0; key < trace.keys; ++key) {
          double squares = 0;
          for (const double value : by_key[key]) squares += value * value;
          EXPECT_NEAR(trace.joint_norms[query * trace.keys + key], std::sqrt(squares), kTolerance);
        }
        for (size_t out = 0; out < model_dim; ++out) {
          EXPECT_NEAR(trace.output[query * model_dim + out], output[out], kTolerance);
        }
      }
    }
  }
}

TEST_F(TracerTest, LogProbabilitiesAndPredictionsAreThoseOfTheOracle) {
  TraceRequest request;
  request.predictions = 4;
  const std::vector<TeacherForcing> results = Run(&request);
  const std::vector<TeacherForcing> untraced = Run(nullptr);
  for (size_t s = 0; s < sources_.size(); ++s) {
    EXPECT_EQ(results[s].log_probabilities, untraced[s].log_probabilities);
    EXPECT_THAT(untraced[s].attentions, IsEmpty());
    const reference::Matrix logits = oracle_->Decode(oracle_->Encode(sources_[s]), Inputs(s));
    for (size_t step = 0; step < targets_[s].size(); ++step) {
      double sum = 0;
      for (size_t id = 0; id < logits[step].size(); ++id) {
        if (id != 3) sum += std::exp(logits[step][id]);
      }
      const double expected = logits[step][targets_[s][step]] - std::log(sum);
      EXPECT_NEAR(results[s].log_probabilities[step], expected, 1e-4);

      const std::vector<Prediction>& best = results[s].predictions[step];
      ASSERT_THAT(best, SizeIs(4));
      for (size_t i = 0; i < best.size(); ++i) {
        EXPECT_NE(best[i].id, 3);  // a bad word
        EXPECT_NEAR(best[i].probability, std::exp(logits[step][best[i].id]) / sum, 1e-5);
        if (i > 0) {
          EXPECT_LE(best[i].probability, best[i - 1].probability);
        }
      }
    }
  }
}

TEST_F(TracerTest, RecordsOnlyWhatWasRequested) {
  TraceRequest request;
  request.kinds = {AttentionKind::kCross};
  request.layers = {1};
  request.heads = {2};
  request.scores = request.projections = request.context = request.output = false;
  request.head_output = request.norms = false;
  request.predictions = 0;
  const TraceRequest everything;
  const std::vector<TeacherForcing> all = Run(&everything);
  const std::vector<TeacherForcing> results = Run(&request);
  for (size_t s = 0; s < results.size(); ++s) {
    ASSERT_THAT(results[s].attentions, SizeIs(1));
    const AttentionTrace& trace = results[s].attentions[0];
    EXPECT_EQ(trace.id, (AttentionId{AttentionKind::kCross, 1}));
    EXPECT_THAT(trace.heads, ElementsAre(2));
    EXPECT_THAT(trace.scores, IsEmpty());
    EXPECT_THAT(trace.q, IsEmpty());
    EXPECT_THAT(trace.context, IsEmpty());
    EXPECT_THAT(trace.output, IsEmpty());
    EXPECT_THAT(trace.head_output, IsEmpty());
    EXPECT_THAT(trace.norms, IsEmpty());
    EXPECT_THAT(results[s].predictions, IsEmpty());
    const AttentionTrace& whole = Find(all[s], trace.id);
    for (int query = 0; query < trace.queries; ++query) {
      for (int key = 0; key < trace.keys; ++key) {
        EXPECT_EQ(trace.weight(0, query, key), whole.weight(2, query, key));
      }
    }
  }
}

TEST_F(TracerTest, IgnoresHeadsThatTheModelLacks) {
  TraceRequest request;
  request.heads = {99};
  for (const TeacherForcing& result : Run(&request)) {
    for (const AttentionTrace& trace : result.attentions) EXPECT_THAT(trace.heads, IsEmpty());
  }
}

// Intermediate values are not left in the trace.
TEST_F(TracerTest, NormsAndHeadOutputCanBeRecordedAlone) {
  TraceRequest request;
  request.heads = {1};
  request.scores = request.projections = request.context = request.output = false;
  const TraceRequest everything;
  const std::vector<TeacherForcing> all = Run(&everything);
  const std::vector<TeacherForcing> results = Run(&request);
  for (size_t s = 0; s < results.size(); ++s) {
    for (const AttentionTrace& trace : results[s].attentions) {
      EXPECT_THAT(trace.v, IsEmpty());
      EXPECT_THAT(trace.context, IsEmpty());
      const AttentionTrace& whole = Find(all[s], trace.id);
      for (size_t i = 0; i < trace.norms.size(); ++i) {
        EXPECT_NEAR(trace.norms[i], whole.norms[trace.norms.size() + i], 1e-6);
        EXPECT_NEAR(trace.norms[i], trace.joint_norms[i], 1e-6);
      }
      for (size_t i = 0; i < trace.head_output.size(); ++i) {
        EXPECT_NEAR(trace.head_output[i], whole.head_output[trace.head_output.size() + i], 1e-6);
      }
    }
  }
}

TEST_F(TracerTest, AnEmptyTargetGivesNothing) {
  targets_[1].clear();
  const TraceRequest everything;
  const std::vector<TeacherForcing> results = Run(&everything);
  EXPECT_THAT(results[1].log_probabilities, IsEmpty());
  EXPECT_THAT(results[1].predictions, IsEmpty());
  EXPECT_THAT(results[0].log_probabilities, SizeIs(3));
}

}  // namespace
}  // namespace limpid::internal

#include "tests/reference/reference.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace limpid::internal::reference {
namespace {

Vector ReadVector(const TensorView& tensor) {
  const std::vector<float> values = ReadAll(tensor);
  return Vector(values.begin(), values.end());
}

Matrix ReadMatrix(const TensorView& tensor) {
  const std::vector<float> values = ReadAll(tensor);
  Matrix rows;
  for (int64_t i = 0; i < tensor.rows(); ++i) {
    const auto begin = values.begin() + i * tensor.columns();
    rows.emplace_back(begin, begin + tensor.columns());
  }
  return rows;
}

// x Wᵀ + b
Matrix Linear(const Matrix& x, const LinearWeights& linear) {
  const Matrix weight = ReadMatrix(linear.weight);  // [out, in]
  const Vector bias = ReadVector(linear.bias);
  Matrix y(x.size(), bias);
  for (size_t row = 0; row < x.size(); ++row) {
    for (size_t out = 0; out < weight.size(); ++out) {
      for (size_t in = 0; in < x[row].size(); ++in) y[row][out] += x[row][in] * weight[out][in];
    }
  }
  return y;
}

Matrix LayerNorm(const Matrix& x, const LayerNormWeights& norm, double epsilon) {
  const Vector scale = ReadVector(norm.scale);
  const Vector bias = ReadVector(norm.bias);
  Matrix y = x;
  for (Vector& row : y) {
    const double size = static_cast<double>(row.size());
    double mean = 0;
    for (const double value : row) mean += value / size;
    double variance = 0;
    for (const double value : row) variance += (value - mean) * (value - mean) / size;
    for (size_t i = 0; i < row.size(); ++i) {
      row[i] = (row[i] - mean) / std::sqrt(variance + epsilon) * scale[i] + bias[i];
    }
  }
  return y;
}

double Activate(double x, Activation activation) {
  const auto sigmoid = [](double z) { return 1 / (1 + std::exp(-z)); };
  switch (activation) {
    case Activation::kRelu:
      return std::max(0.0, x);
    case Activation::kSwish:
      return x * sigmoid(x);
    case Activation::kGelu:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case Activation::kGeluTanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::kGeluSigmoid:
      return x * sigmoid(1.702 * x);
  }
  return x;
}

Matrix FeedForward(const Matrix& x, const FeedForwardWeights& weights, Activation activation) {
  Matrix hidden = Linear(x, weights.hidden);
  for (Vector& row : hidden) {
    for (double& value : row) value = Activate(value, activation);
  }
  return Linear(hidden, weights.output);
}

Vector Softmax(Vector x) {
  const double largest = *std::max_element(x.begin(), x.end());
  double sum = 0;
  for (double& value : x) sum += value = std::exp(value - largest);
  for (double& value : x) value /= sum;
  return x;
}

// Whether a query may see a key.
using Mask = std::function<bool(size_t query, size_t key)>;

bool SeesAll(size_t, size_t) { return true; }
bool SeesPast(size_t query, size_t key) { return key <= query; }

// Queries from `x`, keys and values from `source`.
Matrix Attention(const Matrix& x, const Matrix& source, const AttentionWeights& weights,
                 size_t heads, const Mask& mask, AttentionWeightsByHead& by_head) {
  const Matrix q = Linear(x, weights.query);
  const Matrix k = Linear(source, weights.key);
  const Matrix v = Linear(source, weights.value);
  const size_t head_dim = q[0].size() / heads;
  by_head.assign(heads, {});
  Matrix context(x.size(), Vector(q[0].size(), 0.0));
  for (size_t head = 0; head < heads; ++head) {
    const size_t begin = head * head_dim;
    for (size_t query = 0; query < x.size(); ++query) {
      Vector scores(source.size(), -std::numeric_limits<double>::infinity());
      for (size_t key = 0; key < source.size(); ++key) {
        if (!mask(query, key)) continue;
        double dot = 0;
        for (size_t i = begin; i < begin + head_dim; ++i) dot += q[query][i] * k[key][i];
        scores[key] = dot / std::sqrt(static_cast<double>(head_dim));
      }
      const Vector row = Softmax(scores);
      for (size_t key = 0; key < source.size(); ++key) {
        for (size_t i = begin; i < begin + head_dim; ++i) context[query][i] += row[key] * v[key][i];
      }
      by_head[head].push_back(row);
    }
  }
  return Linear(context, weights.output);
}

// The simpler simple recurrent unit of Kim et al. (2019), section 3.1, token by token.
Matrix Ssru(const Matrix& x, const SsruWeights& weights) {
  const Matrix input = Linear(x, weights.input);
  const Matrix forget = Linear(x, weights.forget);
  Vector state(x[0].size(), 0.0);
  Matrix y;
  for (size_t token = 0; token < x.size(); ++token) {
    Vector row(state.size());
    for (size_t i = 0; i < state.size(); ++i) {
      const double f = 1 / (1 + std::exp(-forget[token][i]));
      state[i] = f * state[i] + (1 - f) * input[token][i];
      row[i] = std::max(0.0, state[i]);
    }
    y.push_back(row);
  }
  return weights.output.weight.data == nullptr ? y : Linear(y, weights.output);
}

// Pre-norm: x + sublayer(LayerNorm(x)). Post-norm: LayerNorm(x + sublayer(x)).
Matrix Residual(const Matrix& x, const LayerNormWeights& norm, const ModelConfig& config,
                const std::function<Matrix(const Matrix&)>& sublayer) {
  const bool pre = config.norm_order == NormOrder::kPre;
  const double epsilon = config.layer_norm_epsilon;
  const Matrix y = sublayer(pre ? LayerNorm(x, norm, epsilon) : x);
  Matrix sum = x;
  for (size_t row = 0; row < x.size(); ++row) {
    for (size_t i = 0; i < x[row].size(); ++i) sum[row][i] += y[row][i];
  }
  return pre ? sum : LayerNorm(sum, norm, epsilon);
}

double Sinusoid(Positions kind, int position, int column, int model_dim) {
  const int sines = (model_dim + 1) / 2;
  const bool is_sine = column < sines;
  const int i = is_sine ? column : column - sines;
  const double exponent =
      kind == Positions::kSinusoidal ? 2.0 * i / model_dim : i / std::max(1.0, model_dim / 2 - 1.0);
  const double angle = position / std::pow(10000.0, exponent);
  return is_sine ? std::sin(angle) : std::cos(angle);
}

}  // namespace

Matrix Transformer::Embed(const StackWeights& stack, const std::vector<int>& ids) const {
  Matrix x;
  for (size_t at = 0; at < ids.size(); ++at) {
    Vector row(config_.model_dim, 0.0);
    for (int i = 0; i < config_.model_dim; ++i) {
      if (ids[at] >= 0) {
        std::vector<float> embedding(config_.model_dim);
        ReadRow(stack.embedding, ids[at], embedding.data());
        row[i] += static_cast<double>(embedding[i]) * config_.embedding_scale;
      }
      if (config_.positions == Positions::kLearned) {
        std::vector<float> position(config_.model_dim);
        ReadRow(stack.positions, static_cast<int64_t>(at), position.data());
        row[i] += position[i];
      } else {
        row[i] += Sinusoid(config_.positions, config_.first_position + static_cast<int>(at), i,
                           config_.model_dim);
      }
    }
    x.push_back(row);
  }
  if (config_.embedding_norm) x = LayerNorm(x, stack.embedding_norm, config_.layer_norm_epsilon);
  return x;
}

Matrix Transformer::Encode(const std::vector<int>& source_ids, Attentions* attentions) const {
  Matrix x = Embed(weights_.encoder_stack, source_ids);
  for (const EncoderLayerWeights& layer : weights_.encoder_layers) {
    AttentionWeightsByHead self;
    x = Residual(x, layer.self_attention_norm, config_, [&](const Matrix& in) {
      return Attention(in, in, layer.self_attention, config_.encoder_heads, SeesAll, self);
    });
    x = Residual(x, layer.feed_forward_norm, config_, [&](const Matrix& in) {
      return FeedForward(in, layer.feed_forward, config_.activation);
    });
    if (attentions != nullptr) attentions->encoder.push_back(self);
  }
  if (!config_.final_norm) return x;
  return LayerNorm(x, weights_.encoder_stack.final_norm, config_.layer_norm_epsilon);
}

Matrix Transformer::Decode(const Matrix& encoder_output, const std::vector<int>& input_ids,
                           Attentions* attentions) const {
  Matrix x = Embed(weights_.decoder_stack, input_ids);
  for (const DecoderLayerWeights& layer : weights_.decoder_layers) {
    AttentionWeightsByHead self;
    AttentionWeightsByHead cross;
    x = Residual(x, layer.self_attention_norm, config_, [&](const Matrix& in) {
      if (config_.decoder_self_attention != DecoderSelfAttention::kAttention) {
        return Ssru(in, layer.ssru);
      }
      return Attention(in, in, layer.self_attention, config_.decoder_heads, SeesPast, self);
    });
    x = Residual(x, layer.cross_attention_norm, config_, [&](const Matrix& in) {
      return Attention(in, encoder_output, layer.cross_attention, config_.decoder_heads, SeesAll,
                       cross);
    });
    x = Residual(x, layer.feed_forward_norm, config_, [&](const Matrix& in) {
      return FeedForward(in, layer.feed_forward, config_.activation);
    });
    if (attentions != nullptr) {
      attentions->decoder.push_back(self);
      attentions->cross.push_back(cross);
    }
  }
  if (config_.final_norm) {
    x = LayerNorm(x, weights_.decoder_stack.final_norm, config_.layer_norm_epsilon);
  }
  return Linear(x, weights_.output);
}

std::vector<int> Transformer::Greedy(const std::vector<int>& source_ids, int limit) const {
  const Matrix encoder_output = Encode(source_ids);
  std::vector<int> inputs = {config_.decoder_start_id};
  std::vector<int> output;
  while (static_cast<int>(output.size()) < limit) {
    Vector logits = Decode(encoder_output, inputs).back();
    for (const int id : config_.bad_words) logits[id] = -std::numeric_limits<double>::infinity();
    const auto best = std::max_element(logits.begin(), logits.end());
    output.push_back(static_cast<int>(best - logits.begin()));
    if (output.back() == config_.target_eos_id) break;
    inputs.push_back(output.back());
  }
  return output;
}

}  // namespace limpid::internal::reference

#include "engine/trace/tracer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace limpid::internal {
namespace {

// A decoder step takes whole targets until it has this many inputs. More would only enlarge the
// logits, [inputs, vocab].
constexpr size_t kInputsPerStep = 64;

template <typename T>
bool Wants(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

// Projects vectors of single heads, [heads, rows, head_dim], to their parts of the output, [heads,
// rows, model_dim], without the bias. The model's projection takes all heads side by side, so each
// vector is padded with zeros for the other heads. An all-zero row yields the bias to subtract.
std::vector<float> ProjectHeads(const AttentionTrace& trace, const std::vector<float>& vectors,
                                const Linear& projection, Gemm& gemm) {
  const ptrdiff_t head_dim = trace.head_dim;
  const int rows = static_cast<int>(vectors.size() / trace.head_dim);
  const size_t rows_per_head = rows / trace.heads.size();
  Matrix x;
  x.Resize(rows + 1, projection.in());
  for (int row = 0; row <= rows; ++row) {
    std::fill_n(x.row(row), x.columns(), 0.0F);
    if (row == rows) break;
    const ptrdiff_t column = trace.heads[row / rows_per_head] * head_dim;
    std::copy_n(&vectors[row * head_dim], head_dim, x.row(row) + column);
  }
  Matrix y;
  projection.Apply(x, y, gemm);
  std::vector<float> projected;
  projected.reserve(static_cast<size_t>(rows) * y.columns());
  const float* bias = y.row(rows);
  for (int row = 0; row < rows; ++row) {
    for (int i = 0; i < y.columns(); ++i) projected.push_back(y.row(row)[i] - bias[i]);
  }
  return projected;
}

double NormOf(absl::Span<const float> vector) {
  return std::sqrt(std::inner_product(vector.begin(), vector.end(), vector.begin(), 0.0));
}

// `projected_values` [heads, keys, model_dim]: v W_o.
void FillNorms(const std::vector<float>& projected_values, AttentionTrace& trace) {
  const size_t heads = trace.heads.size();
  const size_t keys = trace.keys;
  const size_t model_dim = projected_values.size() / (heads * keys);
  const auto value = [&](size_t head, size_t key) {
    return absl::MakeConstSpan(&projected_values[(head * keys + key) * model_dim], model_dim);
  };
  trace.norms.resize(trace.weights.size());
  trace.joint_norms.resize(trace.queries * keys);
  std::vector<float> sum;
  for (size_t key = 0; key < keys; ++key) {
    for (int query = 0; query < trace.queries; ++query) {
      sum.assign(model_dim, 0);
      for (size_t head = 0; head < heads; ++head) {
        const float weight = trace.weight(head, query, static_cast<int>(key));
        for (size_t i = 0; i < model_dim; ++i) sum[i] += weight * value(head, key)[i];
      }
      trace.joint_norms[query * keys + key] = static_cast<float>(NormOf(sum));
    }
    for (size_t head = 0; head < heads; ++head) {
      const double norm = NormOf(value(head, key));
      for (size_t query = 0; query < static_cast<size_t>(trace.queries); ++query) {
        const size_t cell = (head * trace.queries + query) * keys + key;
        trace.norms[cell] = static_cast<float>(trace.weights[cell] * norm);
      }
    }
  }
}

// Copies each observation into the trace of its sentence.
class Recorder : public AttentionObserver {
 public:
  Recorder(const TraceRequest& request, const SourceBatch& source,
           const std::vector<DecoderInput>& inputs, Gemm& gemm,
           std::vector<TeacherForcing>& results)
      : request_(request), source_(source), inputs_(inputs), gemm_(gemm), results_(results) {}

  void OnQuery(const AttentionId& id, Heads shape, const ObservedQuery& observed) override;
  void OnOutput(const AttentionId& id, const Matrix& output, const Linear& projection) override;

 private:
  // The sentence of a row of the batch, and the row's index among its queries.
  struct Place {
    int sentence = 0;
    int query = 0;
  };
  Place PlaceOf(AttentionKind kind, int row) const {
    if (kind == AttentionKind::kEncoder) {
      const int sentence = source_.sentence(row);
      return {sentence, row - source_.begin(sentence)};
    }
    return {inputs_[row].sentence, inputs_[row].position};
  }
  bool Wanted(const AttentionId& id) const {
    return Wants(request_.kinds, id.kind) && Wants(request_.layers, id.layer);
  }
  AttentionTrace& TraceOf(const AttentionId& id, int sentence, Heads shape);
  void Finish(const Linear& projection, AttentionTrace& trace);

  const TraceRequest& request_;
  const SourceBatch& source_;
  const std::vector<DecoderInput>& inputs_;  // of the current decoder step
  Gemm& gemm_;
  std::vector<TeacherForcing>& results_;
};

// Returns the trace of an attention; creates it on the first query. Attentions run one after
// another, so an existing trace is the sentence's last.
AttentionTrace& Recorder::TraceOf(const AttentionId& id, int sentence, Heads shape) {
  std::vector<AttentionTrace>& attentions = results_[sentence].attentions;
  if (!attentions.empty() && attentions.back().id == id) return attentions.back();

  AttentionTrace& trace = attentions.emplace_back();
  trace.id = id;
  trace.head_dim = shape.head_dim;
  for (int head = 0; head < shape.heads; ++head) {
    if (Wants(request_.heads, head)) trace.heads.push_back(head);
  }
  const int targets = static_cast<int>(results_[sentence].log_probabilities.size());
  const int sources = source_.length(sentence);
  trace.queries = id.kind == AttentionKind::kEncoder ? sources : targets;
  trace.keys = id.kind == AttentionKind::kDecoder ? targets : sources;

  const size_t heads = trace.heads.size();
  const size_t cells = heads * trace.queries * trace.keys;
  trace.weights.assign(cells, 0);
  if (request_.scores) trace.scores.assign(cells, -std::numeric_limits<float>::infinity());
  if (request_.projections) {
    trace.q.resize(heads * trace.queries * shape.head_dim);
    trace.k.resize(heads * trace.keys * shape.head_dim);
  }
  if (request_.projections || request_.norms) trace.v.resize(heads * trace.keys * shape.head_dim);
  if (request_.context || request_.head_output) {
    trace.context.resize(heads * trace.queries * shape.head_dim);
  }
  return trace;
}

void Recorder::OnQuery(const AttentionId& id, Heads shape, const ObservedQuery& observed) {
  if (!Wanted(id)) return;
  const Place place = PlaceOf(id.kind, observed.row);
  AttentionTrace& trace = TraceOf(id, place.sentence, shape);
  const int visible_keys = observed.visible.tokens.count;
  const int head_dim = shape.head_dim;
  for (size_t i = 0; i < trace.heads.size(); ++i) {
    const ptrdiff_t head = trace.heads[i];
    const ptrdiff_t column = head * head_dim;
    const size_t query = i * trace.queries + place.query;
    std::copy_n(observed.weights + head * visible_keys, visible_keys,
                &trace.weights[query * trace.keys]);
    if (request_.scores) {
      std::copy_n(observed.scores + head * visible_keys, visible_keys,
                  &trace.scores[query * trace.keys]);
    }
    if (!trace.context.empty()) {
      std::copy_n(observed.context + column, head_dim, &trace.context[query * head_dim]);
    }
    if (request_.projections) {
      std::copy_n(observed.query + column, head_dim, &trace.q[query * head_dim]);
    }
    for (int key = 0; key < visible_keys; ++key) {
      const float* row = observed.visible.tokens.rows[key] + column;
      const size_t to = (i * trace.keys + key) * head_dim;
      if (!trace.k.empty()) std::copy_n(row + observed.visible.key_offset, head_dim, &trace.k[to]);
      if (!trace.v.empty()) {
        std::copy_n(row + observed.visible.value_offset, head_dim, &trace.v[to]);
      }
    }
  }
}

void Recorder::OnOutput(const AttentionId& id, const Matrix& output, const Linear& projection) {
  if (!Wanted(id)) return;
  for (int row = 0; row < output.rows(); ++row) {
    // `output` has all rows of a sentence, in order.
    const Place place = PlaceOf(id.kind, row);
    AttentionTrace& trace = results_[place.sentence].attentions.back();
    if (request_.output) {
      trace.output.insert(trace.output.end(), output.row(row), output.row(row) + output.columns());
    }
    if (place.query + 1 == trace.queries) Finish(projection, trace);
  }
}

// Computes the parts that need a whole sentence, then drops what was kept only for them.
void Recorder::Finish(const Linear& projection, AttentionTrace& trace) {
  if (trace.heads.empty()) return;
  if (request_.head_output) {
    trace.head_output = ProjectHeads(trace, trace.context, projection, gemm_);
  }
  if (request_.norms) FillNorms(ProjectHeads(trace, trace.v, projection, gemm_), trace);
  if (!request_.context) trace.context.clear();
  if (!request_.projections) trace.v.clear();
}

// The `count` most probable ids, best first, without their pieces.
std::vector<Prediction> MostProbable(const float* logits, int size, float log_sum_exp, int count) {
  std::vector<int> ids(size);
  std::iota(ids.begin(), ids.end(), 0);
  const auto end = ids.begin() + std::min(count, size);
  std::partial_sort(ids.begin(), end, ids.end(),
                    [logits](int a, int b) { return logits[a] > logits[b]; });
  std::vector<Prediction> predictions;
  for (auto id = ids.begin(); id != end; ++id) {
    predictions.push_back({"", *id, std::exp(logits[*id] - log_sum_exp)});
  }
  return predictions;
}

}  // namespace

std::vector<TeacherForcing> Tracer::Run(const SourceBatch& source,
                                        absl::Span<const absl::Span<const int>> targets,
                                        const TraceRequest* request) {
  const ModelConfig& config = transformer_.config();
  std::vector<TeacherForcing> results(source.sentences());
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    results[sentence].log_probabilities.resize(targets[sentence].size());
  }
  const TraceRequest none;
  Recorder recorder(request == nullptr ? none : *request, source, inputs_, exec_.gemm, results);
  exec_.observer = request == nullptr ? nullptr : &recorder;
  transformer_.Encode(source, cross_cache_, exec_);
  self_cache_.Reset(config.decoder_layers, config.model_dim, source.sentences());

  inputs_.clear();
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    int token = config.decoder_start_id;
    for (int position = 0; position < static_cast<int>(targets[sentence].size()); ++position) {
      inputs_.push_back({token, position, sentence, sentence});
      token = targets[sentence][position];
    }
    const bool last = sentence + 1 == source.sentences();
    if (inputs_.empty() || (inputs_.size() < kInputsPerStep && !last)) continue;
    const Matrix& output = transformer_.Step({inputs_, source, cross_cache_, self_cache_}, exec_);
    Collect(transformer_.Logits(output, vocabulary_, exec_), targets,
            request == nullptr ? 0 : request->predictions, results);
    inputs_.clear();
  }
  exec_.observer = nullptr;
  return results;
}

// Adds log-probabilities and predictions from a step's logits to `results`.
void Tracer::Collect(const Matrix& all_logits, absl::Span<const absl::Span<const int>> targets,
                     int predictions, std::vector<TeacherForcing>& results) {
  const ModelConfig& config = transformer_.config();
  for (size_t row = 0; row < inputs_.size(); ++row) {
    const DecoderInput& input = inputs_[row];
    const float* logits = all_logits.row(static_cast<int>(row));
    const float log_sum_exp = ArgMax(logits, config.target_vocab_size).log_sum_exp;
    TeacherForcing& result = results[input.sentence];
    result.log_probabilities[input.position] =
        logits[targets[input.sentence][input.position]] - log_sum_exp;
    if (predictions > 0) {
      result.predictions.push_back(
          MostProbable(logits, config.target_vocab_size, log_sum_exp, predictions));
    }
  }
}

}  // namespace limpid::internal

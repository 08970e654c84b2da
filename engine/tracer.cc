#include "engine/tracer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "engine/logits_processor.h"

namespace limpid {
namespace {

// Whole targets are taken in together until there are so many tokens; more would only make the
// logits, [inputs, vocab], large.
constexpr size_t kInputsAStep = 64;

template <typename T>
bool Wants(const std::vector<T>& wanted, const T& value) {
  return wanted.empty() || std::find(wanted.begin(), wanted.end(), value) != wanted.end();
}

// Copies what it sees into the traces of the sentences that it belongs to.
class Recorder : public AttentionObserver {
 public:
  Recorder(const TraceRequest& request, const SourceBatch& source,
           const std::vector<DecoderInput>& inputs, std::vector<ForcedDecoding>& results)
      : request_(request), source_(source), inputs_(inputs), results_(results) {}

  void OnQuery(const AttentionSite& site, Heads shape, const ObservedQuery& observed) override;
  void OnOutput(const AttentionSite& site, const Matrix& output) override;

 private:
  // Where a row of the batch belongs: a query of a sentence.
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
  bool Wanted(const AttentionSite& site) const {
    return Wants(request_.kinds, site.kind) && Wants(request_.layers, site.layer);
  }
  AttentionTrace& TraceOf(const AttentionSite& site, int sentence, Heads shape);

  const TraceRequest& request_;
  const SourceBatch& source_;
  const std::vector<DecoderInput>& inputs_;  // of the decoder step that is under way
  std::vector<ForcedDecoding>& results_;
};

// Makes the trace when its first query comes by. Attentions come by one after the other, so the one
// that is looked for is the sentence's last.
AttentionTrace& Recorder::TraceOf(const AttentionSite& site, int sentence, Heads shape) {
  std::vector<AttentionTrace>& attentions = results_[sentence].attentions;
  if (!attentions.empty() && attentions.back().site == site) return attentions.back();

  AttentionTrace& trace = attentions.emplace_back();
  trace.site = site;
  trace.head_dim = shape.head_dim;
  for (int head = 0; head < shape.heads; ++head) {
    if (Wants(request_.heads, head)) trace.heads.push_back(head);
  }
  const int targets = static_cast<int>(results_[sentence].log_probabilities.size());
  const int sources = source_.length(sentence);
  trace.queries = site.kind == AttentionKind::kEncoder ? sources : targets;
  trace.keys = site.kind == AttentionKind::kDecoder ? targets : sources;

  const size_t heads = trace.heads.size();
  const size_t cells = heads * trace.queries * trace.keys;
  trace.weights.assign(cells, 0);
  if (request_.scores) trace.scores.assign(cells, -std::numeric_limits<float>::infinity());
  if (request_.projections) {
    trace.q.resize(heads * trace.queries * shape.head_dim);
    trace.k.resize(heads * trace.keys * shape.head_dim);
    trace.v.resize(heads * trace.keys * shape.head_dim);
  }
  if (request_.context) trace.context.resize(heads * trace.queries * shape.head_dim);
  return trace;
}

void Recorder::OnQuery(const AttentionSite& site, Heads shape, const ObservedQuery& observed) {
  if (!Wanted(site)) return;
  const Place place = PlaceOf(site.kind, observed.row);
  AttentionTrace& trace = TraceOf(site, place.sentence, shape);
  const int seen = observed.visible.tokens.count;
  const int head_dim = shape.head_dim;
  for (size_t i = 0; i < trace.heads.size(); ++i) {
    const ptrdiff_t head = trace.heads[i];
    const ptrdiff_t column = head * head_dim;
    const size_t query = i * trace.queries + place.query;
    std::copy_n(observed.weights + head * seen, seen, &trace.weights[query * trace.keys]);
    if (request_.scores) {
      std::copy_n(observed.scores + head * seen, seen, &trace.scores[query * trace.keys]);
    }
    if (request_.context) {
      std::copy_n(observed.context + column, head_dim, &trace.context[query * head_dim]);
    }
    if (!request_.projections) continue;
    std::copy_n(observed.query + column, head_dim, &trace.q[query * head_dim]);
    for (int key = 0; key < seen; ++key) {
      const float* row = observed.visible.tokens.rows[key];
      const size_t to = (i * trace.keys + key) * head_dim;
      std::copy_n(row + observed.visible.key_offset + column, head_dim, &trace.k[to]);
      std::copy_n(row + observed.visible.value_offset + column, head_dim, &trace.v[to]);
    }
  }
}

void Recorder::OnOutput(const AttentionSite& site, const Matrix& output) {
  if (!Wanted(site) || !request_.output) return;
  for (int row = 0; row < output.rows(); ++row) {
    // Rows of a sentence come in order.
    const Place place = PlaceOf(site.kind, row);
    std::vector<float>& all = results_[place.sentence].attentions.back().output;
    all.insert(all.end(), output.row(row), output.row(row) + output.columns());
  }
}

// The most probable ids, the best first.
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

std::vector<ForcedDecoding> Tracer::Run(const SourceBatch& source,
                                        absl::Span<const absl::Span<const int>> targets,
                                        const TraceRequest* request) {
  const ModelConfig& config = transformer_.config();
  std::vector<ForcedDecoding> results(source.sentences());
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    results[sentence].log_probabilities.resize(targets[sentence].size());
  }
  const TraceRequest none;
  Recorder recorder(request == nullptr ? none : *request, source, inputs_, results);
  work_.observer = request == nullptr ? nullptr : &recorder;
  transformer_.Encode(source, memory_, work_);
  cache_.Reset(config.decoder_layers, config.model_dim, source.sentences());

  inputs_.clear();
  for (int sentence = 0; sentence < source.sentences(); ++sentence) {
    int token = config.decoder_start_id;
    for (int position = 0; position < static_cast<int>(targets[sentence].size()); ++position) {
      inputs_.push_back({token, position, sentence, sentence});
      token = targets[sentence][position];
    }
    const bool last = sentence + 1 == source.sentences();
    if (inputs_.empty() || (inputs_.size() < kInputsAStep && !last)) continue;
    transformer_.Decode({inputs_, source, memory_, cache_}, work_);
    Collect(targets, request == nullptr ? 0 : request->predictions, results);
    inputs_.clear();
  }
  work_.observer = nullptr;
  return results;
}

// Takes log-probabilities and predictions from the logits of a step.
void Tracer::Collect(absl::Span<const absl::Span<const int>> targets, int predictions,
                     std::vector<ForcedDecoding>& results) {
  const ModelConfig& config = transformer_.config();
  for (size_t row = 0; row < inputs_.size(); ++row) {
    const DecoderInput& input = inputs_[row];
    float* logits = work_.logits.row(static_cast<int>(row));
    RemoveBadWords(config, logits);
    const float log_sum_exp = FindBest(logits, config.target_vocab_size).log_sum_exp;
    ForcedDecoding& result = results[input.sentence];
    result.log_probabilities[input.position] =
        logits[targets[input.sentence][input.position]] - log_sum_exp;
    if (predictions > 0) {
      result.predictions.push_back(
          MostProbable(logits, config.target_vocab_size, log_sum_exp, predictions));
    }
  }
}

}  // namespace limpid

// The encoder: reads a batch of source sentences. Sentences lie one after the other without
// padding, and a token sees its own sentence only.

#ifndef LIMPID_ENGINE_ENCODER_H_
#define LIMPID_ENGINE_ENCODER_H_

#include <cassert>
#include <vector>

#include "absl/types/span.h"
#include "engine/attention.h"
#include "engine/layers.h"
#include "engine/workspace.h"

namespace limpid {

// Sentences of token ids, packed: sentence s is the tokens from begin(s) to begin(s + 1).
class SourceBatch {
 public:
  void Clear() {
    ids_.clear();
    sentences_.clear();
    begins_.assign(1, 0);
  }
  // `ids` has at least one: attention over nothing is not defined.
  void Add(absl::Span<const int> ids) {
    assert(!ids.empty());
    ids_.insert(ids_.end(), ids.begin(), ids.end());
    sentences_.resize(ids_.size(), sentences());
    begins_.push_back(static_cast<int>(ids_.size()));
  }
  int sentences() const { return static_cast<int>(begins_.size()) - 1; }
  int tokens() const { return static_cast<int>(ids_.size()); }
  int id(int token) const { return ids_[token]; }
  int sentence(int token) const { return sentences_[token]; }  // the one that the token is part of
  int begin(int sentence) const { return begins_[sentence]; }
  int length(int sentence) const { return begins_[sentence + 1] - begins_[sentence]; }

 private:
  std::vector<int> ids_;
  std::vector<int> sentences_;
  std::vector<int> begins_ = {0};
};

class EncoderLayer {
 public:
  EncoderLayer(const ModelConfig& config, const EncoderLayerWeights& weights, ComputeType type,
               int index);
  // Transforms work.x [tokens, model_dim] in place.
  void Apply(const SourceBatch& source, Workspace& work) const;

 private:
  void SelfAttention(const SourceBatch& source, const Matrix& x, Matrix& y, Workspace& work) const;

  NormOrder norm_order_;
  Linear query_key_value_;  // [3 · model_dim, model_dim]
  Attention attention_;
  Norm attention_norm_;
  FeedForward feed_forward_;
  Norm feed_forward_norm_;
};

class Encoder {
 public:
  Encoder(const ModelConfig& config, const ModelWeights& weights, ComputeType type);
  // Leaves the encoder's output in work.x [tokens, model_dim].
  void Encode(const SourceBatch& source, Workspace& work) const;

 private:
  Embedding embedding_;
  std::vector<EncoderLayer> layers_;
  bool has_final_norm_;
  Norm final_norm_;
};

}  // namespace limpid

#endif  // LIMPID_ENGINE_ENCODER_H_

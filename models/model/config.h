// The shape of a translation model: what config.json of a model folder says.

#ifndef LIMPID_MODELS_MODEL_CONFIG_H_
#define LIMPID_MODELS_MODEL_CONFIG_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace limpid::internal {

enum class Activation { kRelu, kGelu, kGeluTanh, kGeluSigmoid, kSwish };
enum class NormOrder {
  kPost,  // norm(x + sublayer(x)), as in the paper
  kPre,   // x + sublayer(norm(x))
};
// How position p enters an embedding of width d. Both sinusoidal kinds have all sines in the first
// half and all cosines in the second; i counts within a half.
enum class Positions {
  kSinusoidal,        // p * 10000^(-2i/d): the paper, Hugging Face
  kSinusoidalMarian,  // p * 10000^(-i/(d/2-1)): Marian, tensor2tensor
  kLearned,           // the rows of "{encoder,decoder}.positions.weight"
};

// How a decoder layer takes up the target tokens so far.
enum class DecoderSelfAttention {
  kAttention,       // as in the paper
  kSsru,            // by a simpler simple recurrent unit: engine/transformer/ssru.h
  kSsruWithOutput,  // the same, with an output product as attention has
};

// How text becomes pieces, and which files of the folder do it.
enum class TokenizerKind {
  kSpaces,                // it comes split into pieces by spaces; no file
  kSentencePiece,         // source.spm, for both sides
  kSentencePiecePerSide,  // source.spm and target.spm
  kMosesSubwordNmt,       // subword.bpe, for both sides, after Moses' tokenizer
};

// models/FORMAT.md says the same of each key in JSON.
struct ModelConfig {
  int model_dim = 0;
  int encoder_layers = 0;
  int decoder_layers = 0;
  int encoder_heads = 0;
  int decoder_heads = 0;
  int encoder_ffn_dim = 0;
  int decoder_ffn_dim = 0;
  int source_vocab_size = 0;
  int target_vocab_size = 0;

  // One table "embedding.weight" for both sides; else "encoder.embedding.weight" and
  // "decoder.embedding.weight".
  bool shared_embeddings = true;
  // The output product uses the decoder's embedding; else "output.weight".
  bool tied_output = true;
  float embedding_scale = 1.0F;  // multiplies every embedding: sqrt(model_dim) in most models

  DecoderSelfAttention decoder_self_attention = DecoderSelfAttention::kAttention;
  Activation activation = Activation::kRelu;
  NormOrder norm_order = NormOrder::kPost;
  float layer_norm_epsilon = 1e-5F;
  bool embedding_norm = false;  // "{encoder,decoder}.embedding_norm" right after the embedding
  bool final_norm = false;      // "{encoder,decoder}.final_norm" after the last layer

  Positions positions = Positions::kSinusoidal;
  int first_position = 0;
  int max_positions = 512;  // the most tokens, <s> and </s> included, that either side may have
  // The most tokens, counted the same way, that a source sentence should have: how long the
  // sentences were that the model was trained on. Longer ones are translated in parts.
  int max_source_tokens = 512;

  int source_bos_id = -1;  // what sources begin with; -1: with nothing, as in most models
  int source_eos_id = 0;   // -1: sources end without one, as in OpenNMT-py
  int source_unk_id = 1;
  int target_eos_id = 0;
  int target_unk_id = 1;
  // The decoder's first input; -1: an embedding of zeros, as in Marian.
  int decoder_start_id = -1;
  // Ids that are never produced: padding, and what the model's author listed.
  std::vector<int> bad_words;

  // Where the model was taught word alignment: the mean of the first `alignment_heads` heads of the
  // cross-attention of decoder layer `alignment_layer` (from 0). -1: nowhere. 0 heads: all.
  int alignment_layer = -1;
  int alignment_heads = 0;
  // A head of the cross-attention of decoder layer `alignment_input_layer` that aligns well by
  // itself, in the row in which a target word is the decoder's input. -1: none is known.
  int alignment_input_layer = -1;
  int alignment_input_head = 0;

  std::string source_language;  // as the checkpoint names them ("eng"), or empty
  std::string target_language;

  // None: not stated, as in folders of older versions, where the files that there are say it.
  std::optional<TokenizerKind> tokenizer;

  friend bool operator==(const ModelConfig&, const ModelConfig&) = default;
};

// Reads the text of a native config.json. Unknown keys, missing keys but "tokenizer", wrong types
// and values that no model can have (a width that the heads do not divide, ids outside the
// vocabulary, sizes of zero or above 2^20) are InvalidArgument, naming the key, what was expected
// and what was found.
absl::StatusOr<ModelConfig> ParseConfig(std::string_view text);

// Writes the text of config.json; ParseConfig gives the same config back.
std::string FormatConfig(const ModelConfig& config);

// The checks of ParseConfig that do not depend on JSON, for configs made by converters.
absl::Status ValidateConfig(const ModelConfig& config);

// Names as they stand in config.json: "swish", "post", "sinusoidal" …
std::string_view ActivationName(Activation activation);
std::string_view NormOrderName(NormOrder order);
std::string_view PositionsName(Positions positions);
std::string_view TokenizerKindName(TokenizerKind kind);
std::string_view DecoderSelfAttentionName(DecoderSelfAttention kind);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_CONFIG_H_

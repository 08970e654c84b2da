// The architecture of a translation model: the content of a model folder's config.json.

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

// How a decoder layer reads the previous target tokens.
enum class DecoderSelfAttention {
  kAttention,       // as in the paper
  kSsru,            // a simpler simple recurrent unit: engine/transformer/ssru.h
  kSsruWithOutput,  // the same with an output projection, as in attention
};

// How text becomes pieces, and with which files of the folder.
enum class TokenizerKind {
  kSpaces,                // text is already split into pieces by spaces; no file
  kSentencePiece,         // source.spm, for both sides
  kSentencePiecePerSide,  // source.spm and target.spm
  kMosesSubwordNmt,       // subword.bpe, for both sides, after Moses' tokenizer
};

// models/FORMAT.md describes the same fields as JSON keys.
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

  // One table "embedding.weight" for both sides; otherwise
  // "encoder.embedding.weight" and "decoder.embedding.weight".
  bool shared_embeddings = true;
  // The output layer uses the decoder's embedding; otherwise "output.weight".
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
  int max_positions = 512;  // max tokens per side, including <s> and </s>
  // Max tokens per source sentence, counted the same way: the length of the training sentences.
  // Longer ones are translated in parts.
  int max_source_tokens = 512;

  int source_bos_id = -1;  // prepended to each source; -1: nothing, as in most models
  int source_eos_id = 0;   // appended to each source; -1: nothing, as in OpenNMT-py
  int source_unk_id = 1;
  int target_eos_id = 0;
  int target_unk_id = 1;
  // The decoder's first input; -1: an embedding of zeros, as in Marian.
  int decoder_start_id = -1;
  // Ids that are never produced: padding and those that the model's author listed.
  std::vector<int> bad_words;

  // Cross-attention that was trained for word alignment: the mean of the first `alignment_heads`
  // heads (0: all) of decoder layer `alignment_layer`, counted from 0. -1: none.
  int alignment_layer = -1;
  int alignment_heads = 0;
  // A cross-attention head of decoder layer `alignment_input_layer` that aligns well without
  // training, in the row where a target word is the decoder's input. -1: none is known.
  int alignment_input_layer = -1;
  int alignment_input_head = 0;

  std::string source_language;  // as the model names it ("eng"), or empty
  std::string target_language;

  // None: not stated, as in folders of older versions; the files in the folder decide.
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

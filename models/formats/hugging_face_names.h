// The names of MarianMT's tensors in transformers, for the reader and the writer.

#ifndef LIMPID_MODELS_FORMATS_HUGGING_FACE_NAMES_H_
#define LIMPID_MODELS_FORMATS_HUGGING_FACE_NAMES_H_

#include "models/formats/tensor_names.h"

namespace limpid::internal {

// clang-format off
inline constexpr TensorName kHuggingFaceTensors[] = {
    {"lm_head.weight",                          "output.weight"},
    {"final_logits_bias",                       "output.bias", How::kOrZeros},  // [1, vocab]
    {"model.shared.weight",                     "embedding.weight"},
    {"model.SIDE.embed_tokens.weight",          "embedding.weight"},
    {"lm_head.weight",                          "embedding.weight"},
    {"model.SIDE.embed_tokens.weight",          "SIDE.embedding.weight"},
    {"lm_head.weight",                          "decoder.embedding.weight"},
    {"model.SIDE.embed_positions.weight",       "SIDE.positions.weight"},
    {"model.SIDE.embed_positions.weight",       "", How::kSkip},  // sinusoids
    {"model.SIDE.layernorm_embedding.*",        "SIDE.embedding_norm.*"},
    {"model.SIDE.layer_norm.*",                 "SIDE.final_norm.*"},
    {"model.SIDE.layers.N.self_attn.q_proj.*",             "SIDE.layers.N.self_attention.query.*"},
    {"model.SIDE.layers.N.self_attn.k_proj.*",             "SIDE.layers.N.self_attention.key.*"},
    {"model.SIDE.layers.N.self_attn.v_proj.*",             "SIDE.layers.N.self_attention.value.*"},
    {"model.SIDE.layers.N.self_attn.out_proj.*",           "SIDE.layers.N.self_attention.output.*"},
    {"model.SIDE.layers.N.self_attn_layer_norm.*",         "SIDE.layers.N.self_attention_norm.*"},
    {"model.decoder.layers.N.encoder_attn.q_proj.*",       "decoder.layers.N.cross_attention.query.*"},
    {"model.decoder.layers.N.encoder_attn.k_proj.*",       "decoder.layers.N.cross_attention.key.*"},
    {"model.decoder.layers.N.encoder_attn.v_proj.*",       "decoder.layers.N.cross_attention.value.*"},
    {"model.decoder.layers.N.encoder_attn.out_proj.*",     "decoder.layers.N.cross_attention.output.*"},
    {"model.decoder.layers.N.encoder_attn_layer_norm.*",   "decoder.layers.N.cross_attention_norm.*"},
    {"model.SIDE.layers.N.fc1.*",                          "SIDE.layers.N.feed_forward.hidden.*"},
    {"model.SIDE.layers.N.fc2.*",                          "SIDE.layers.N.feed_forward.output.*"},
    {"model.SIDE.layers.N.final_layer_norm.*",             "SIDE.layers.N.feed_forward_norm.*"},
};
// clang-format on

inline TensorNames HuggingFaceNames() {
  return {.table = kHuggingFaceTensors, .model = "a MarianMT model with this config"};
}

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_HUGGING_FACE_NAMES_H_

#include "engine/checkpoint_tokenizer.h"

#include <utility>

namespace limpid {

TokenizerModel TakeTokenizerModel(Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  return {
      .source_sentencepiece = std::move(checkpoint.source_sentencepiece),
      .target_sentencepiece = std::move(checkpoint.target_sentencepiece),
      .subword_merges = std::move(checkpoint.subword_merges),
      .source_language = config.source_language,
      .target_language = config.target_language,
      .source_vocabulary = std::move(checkpoint.source_vocabulary),
      .target_vocabulary = std::move(checkpoint.target_vocabulary),
      .source_bos_id = config.source_bos_id,
      .source_eos_id = config.source_eos_id,
      .source_unk_id = config.source_unk_id,
      .target_eos_id = config.target_eos_id,
      .target_unk_id = config.target_unk_id,
  };
}

}  // namespace limpid

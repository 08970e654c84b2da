// Splits text into segments of token ids.

#ifndef LIMPID_ENGINE_TEXT_PREPARE_H_
#define LIMPID_ENGINE_TEXT_PREPARE_H_

#include <string_view>

#include "engine/text/document.h"
#include "limpid/translate_options.h"
#include "limpid/translation.h"
#include "models/model/config.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Splits a text into segments. `text` may be any bytes, below 2 GB.
Document Prepare(std::string_view text, const TranslateOptions& options, const ModelConfig& config,
                 const Tokenizer& tokenizer);

// Makes one segment of a sentence pair; sets Document::status if the model cannot take it. Both
// texts may be any bytes, below 2 GB.
Document PreparePair(const SentencePair& pair, const TranslateOptions& options,
                     const ModelConfig& config, const Tokenizer& tokenizer);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_PREPARE_H_

// Turns translated segments into text.

#ifndef LIMPID_ENGINE_TEXT_ASSEMBLE_H_
#define LIMPID_ENGINE_TEXT_ASSEMBLE_H_

#include "engine/text/document.h"
#include "limpid/translate_options.h"
#include "limpid/translation.h"
#include "models/model/config.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Joins the translations of a document's segments, with the spacing of the source.
Translation Assemble(Document document, const TranslateOptions& options, const ModelConfig& config,
                     const Tokenizer& tokenizer);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_ASSEMBLE_H_

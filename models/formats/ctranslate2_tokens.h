// Vocabularies and special tokens of CTranslate2 models.

#ifndef LIMPID_MODELS_FORMATS_CTRANSLATE2_TOKENS_H_
#define LIMPID_MODELS_FORMATS_CTRANSLATE2_TOKENS_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "models/formats/ctranslate2_variables.h"
#include "models/io/json.h"
#include "models/io/model_files.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {

struct SpecialTokens {
  std::string unk, bos, eos;
  std::optional<std::string> decoder_start;  // none: the caller of CTranslate2 gives it
  bool starts_from_zeros = false;  // the decoder's first input is an embedding of zeros instead
  bool source_bos = false;
  bool source_eos = false;
};

// Takes them out of `variables`, or from version 6 on out of config.json, `config`.
absl::StatusOr<SpecialTokens> ReadTokens(const nlohmann::json& config,
                                         CTranslate2Variables& variables);

// Reads {shared,source,target}_vocabulary.{json,txt}. As CTranslate2 does, appends `unk` to one
// that does not have it. Then each must have the size that the config says.
absl::Status ReadVocabularies(const ModelFiles& files, const std::string& unk,
                              Checkpoint& checkpoint);

// Sets the ids of special tokens in the config of a checkpoint that has its vocabularies. Refuses
// models whose sources or translations begin with tokens that the engine cannot put there.
absl::Status SetTokens(const SpecialTokens& tokens, Checkpoint& checkpoint);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_CTRANSLATE2_TOKENS_H_

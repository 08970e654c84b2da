// What search options say in text, in the ids of a model's tokens.

#ifndef LIMPID_ENGINE_TEXT_TOKEN_CONSTRAINTS_H_
#define LIMPID_ENGINE_TEXT_TOKEN_CONSTRAINTS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "engine/search/logits_processor.h"
#include "limpid/search_options.h"
#include "models/model/config.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Finds the tokens of suppress and end_at. InvalidArgument names what the vocabulary does not have,
// and what is no UTF-8.
absl::StatusOr<TokenConstraints> FindConstraints(const SearchOptions& options,
                                                 const ModelConfig& config,
                                                 const Tokenizer& tokenizer);

// The tokens of the prefix. InvalidArgument says so where they do not say it byte for byte, where
// it leaves no room for a translation, where alternatives are asked for within it, and where it has
// what the constraints do not allow.
absl::StatusOr<std::vector<int>> FindPrefix(const SearchOptions& options,
                                            const TokenConstraints& constraints,
                                            const ModelConfig& config, const Tokenizer& tokenizer);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_TOKEN_CONSTRAINTS_H_

// Converts text in search options to token ids.

#ifndef LIMPID_ENGINE_TEXT_TOKEN_CONSTRAINTS_H_
#define LIMPID_ENGINE_TEXT_TOKEN_CONSTRAINTS_H_

#include <vector>

#include "absl/status/statusor.h"
#include "engine/search/logits_processor.h"
#include "limpid/search_options.h"
#include "models/model/config.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Finds the tokens of suppress and end_at. Fails with InvalidArgument, naming the entry, if the
// vocabulary lacks it or it is not UTF-8.
absl::StatusOr<TokenConstraints> FindConstraints(const SearchOptions& options,
                                                 const ModelConfig& config,
                                                 const Tokenizer& tokenizer);

// Finds the tokens of the prefix. Fails with InvalidArgument if they cannot spell it byte for byte,
// if it leaves no room for a translation, if alternatives_at is within it, or if the constraints
// forbid it.
absl::StatusOr<std::vector<int>> FindPrefix(const SearchOptions& options,
                                            const TokenConstraints& constraints,
                                            const ModelConfig& config, const Tokenizer& tokenizer);

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_TEXT_TOKEN_CONSTRAINTS_H_

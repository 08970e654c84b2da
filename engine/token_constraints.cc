#include "engine/token_constraints.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>

#include "absl/strings/str_cat.h"
#include "tokenizer/text.h"

namespace limpid {
namespace {

// The token that is spelled so, to the letter.
std::optional<int> FindPiece(const std::string& piece, const ModelConfig& config,
                             const Tokenizer& tokenizer) {
  for (int id = 0; id < config.target_vocab_size; ++id) {
    if (tokenizer.TargetPiece(id) == piece) return id;
  }
  return std::nullopt;
}

std::vector<int> Encode(const std::string& text, const Tokenizer& tokenizer) {
  std::vector<int> ids = tokenizer.EncodeTarget(ReplaceInvalidUtf8(text)).ids;
  ids.pop_back();  // </s>
  return ids;
}

bool IsKnown(const std::vector<int>& ids, const ModelConfig& config) {
  return !ids.empty() && std::find(ids.begin(), ids.end(), config.target_unk_id) == ids.end();
}

absl::Status Missing(const char* option, const std::string& text, const std::vector<int>& ids,
                     const Tokenizer& tokenizer) {
  std::string pieces;
  for (const int id : ids) {
    absl::StrAppend(&pieces, pieces.empty() ? "" : " ", tokenizer.TargetPiece(id));
  }
  return absl::InvalidArgumentError(
      absl::StrCat(option, " '", text, "' is no piece of the model's vocabulary; as text it is ",
                   pieces.empty() ? "nothing" : pieces));
}

}  // namespace

// "Auto" is a piece in the middle of a word, to the letter, and "▁Auto" as a text: what is written
// means both.
absl::StatusOr<TokenConstraints> FindConstraints(const SearchOptions& options,
                                                 const ModelConfig& config,
                                                 const Tokenizer& tokenizer) {
  TokenConstraints constraints;
  for (const std::string& text : options.suppress) {
    const std::optional<int> piece = FindPiece(text, config, tokenizer);
    const std::vector<int> ids = Encode(text, tokenizer);
    if (piece.has_value()) constraints.suppress.push_back({*piece});
    if (IsKnown(ids, config)) constraints.suppress.push_back(ids);
    if (!piece.has_value() && !IsKnown(ids, config)) {
      return Missing("suppress", text, ids, tokenizer);
    }
  }
  for (const std::string& text : options.end_at) {
    const std::optional<int> piece = FindPiece(text, config, tokenizer);
    const std::vector<int> ids = Encode(text, tokenizer);
    const bool is_one = ids.size() == 1 && IsKnown(ids, config);
    if (piece.has_value()) constraints.end_at.push_back(*piece);
    if (is_one) constraints.end_at.push_back(ids.front());
    if (!piece.has_value() && !is_one) return Missing("end_at", text, ids, tokenizer);
  }
  return constraints;
}

absl::StatusOr<std::vector<int>> FindPrefix(const SearchOptions& options,
                                            const TokenConstraints& constraints,
                                            const ModelConfig& config, const Tokenizer& tokenizer) {
  std::vector<int> prefix;
  if (!options.prefix.empty()) prefix = Encode(options.prefix, tokenizer);
  const bool is_limited =
      options.max_output_tokens > 0 && options.max_output_tokens < config.max_positions;
  const int most = is_limited ? options.max_output_tokens : config.max_positions;
  if (prefix.size() >= static_cast<size_t>(most)) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix has ", prefix.size(), " tokens: nothing can follow it within ",
                     is_limited ? "max_output_tokens " : "the most that the model takes, ", most));
  }
  if (options.min_output_tokens >= config.max_positions) {
    return absl::InvalidArgumentError(absl::StrCat("min_output_tokens ", options.min_output_tokens,
                                                   " and </s> are more than the model takes, ",
                                                   config.max_positions));
  }
  if (options.alternatives_at >= 0 &&
      static_cast<size_t>(options.alternatives_at) < prefix.size()) {
    return absl::InvalidArgumentError(absl::StrCat("alternatives_at ", options.alternatives_at,
                                                   " is within the prefix, which has ",
                                                   prefix.size(), " tokens"));
  }
  for (const std::vector<int>& forbidden : constraints.suppress) {
    if (std::search(prefix.begin(), prefix.end(), forbidden.begin(), forbidden.end()) !=
        prefix.end()) {
      return absl::InvalidArgumentError(
          absl::StrCat("prefix '", options.prefix, "' has what suppress forbids"));
    }
  }
  for (const int end : constraints.end_at) {
    if (std::find(prefix.begin(), prefix.end(), end) != prefix.end()) {
      return absl::InvalidArgumentError(absl::StrCat("prefix '", options.prefix, "' has '",
                                                     tokenizer.TargetPiece(end),
                                                     "', which ends the translation by end_at"));
    }
  }
  return prefix;
}

}  // namespace limpid

#include "engine/text/token_constraints.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// The token whose piece is exactly `piece`.
std::optional<int> FindPiece(const std::string& piece, const ModelConfig& config,
                             const Tokenizer& tokenizer) {
  for (int id = 0; id < config.target_vocab_size; ++id) {
    if (tokenizer.TargetPiece(id) == piece) return id;
  }
  return std::nullopt;
}

std::vector<int> Encode(const std::string& text, const Tokenizer& tokenizer) {
  std::vector<int> ids = tokenizer.EncodeTarget(text).ids;
  ids.pop_back();  // </s>
  return ids;
}

bool IsKnown(const std::vector<int>& ids, const ModelConfig& config) {
  return !ids.empty() && std::find(ids.begin(), ids.end(), config.target_unk_id) == ids.end();
}

absl::Status CheckUtf8(const char* option, const std::string& text) {
  if (IsValidUtf8(text)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(option, " '", ReplaceInvalidUtf8(text), "' is not valid UTF-8"));
}

// Forbids text with this spelling: every token that contains it and every token that would complete
// it. Returns whether there are any.
bool ForbidSpelling(std::string_view forbidden, TokenConstraints& constraints) {
  const std::vector<std::string>& spellings = constraints.spellings;
  bool can_occur = false;
  const auto for_each_token = [&](const auto& function) {
    for (size_t id = 0; id < spellings.size(); ++id) function(spellings[id], static_cast<int>(id));
  };
  for_each_token([&](const std::string& spelling, int id) {
    if (spelling.find(forbidden) == std::string::npos) return;
    constraints.suppress.push_back({id});
    can_occur = true;
  });
  for (size_t at = 1; at < forbidden.size(); ++at) {
    Completion completion = {std::string(forbidden.substr(0, at)), forbidden[at], {}};
    for_each_token([&](const std::string& spelling, int id) {
      if (spelling.starts_with(forbidden.substr(at))) completion.tokens.push_back(id);
    });
    if (completion.tokens.empty()) continue;
    constraints.completions.push_back(std::move(completion));
    can_occur = true;
  }
  return can_occur;
}

absl::Status Suppress(const std::string& text, const ModelConfig& config,
                      const Tokenizer& tokenizer, TokenConstraints& constraints) {
  if (absl::Status status = CheckUtf8("suppress", text); !status.ok()) return status;
  // A piece without text, such as <unk>.
  const std::optional<int> piece = FindPiece(text, config, tokenizer);
  if (piece.has_value()) constraints.suppress.push_back({*piece});
  const std::string spelling = tokenizer.Spelling(text);
  const bool can_occur = !spelling.empty() && ForbidSpelling(spelling, constraints);
  if (can_occur || piece.has_value()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("suppress '", text, "' never occurs: no pieces of the vocabulary can spell it"));
}

absl::Status EndAt(const std::string& text, const ModelConfig& config, const Tokenizer& tokenizer,
                   TokenConstraints& constraints) {
  if (absl::Status status = CheckUtf8("end_at", text); !status.ok()) return status;
  const std::optional<int> piece = FindPiece(text, config, tokenizer);
  const std::vector<int> ids = Encode(text, tokenizer);
  const bool is_one = ids.size() == 1 && IsKnown(ids, config);
  if (piece.has_value()) constraints.end_at.push_back(*piece);
  if (is_one) constraints.end_at.push_back(ids.front());
  if (piece.has_value() || is_one) return absl::OkStatus();
  std::string pieces;
  for (const int id : ids) {
    absl::StrAppend(&pieces, pieces.empty() ? "" : " ", tokenizer.TargetPiece(id));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("end_at '", text, "' is not a piece of the vocabulary; as text it is ",
                   pieces.empty() ? "nothing" : pieces));
}

// The tokens of the prefix. They decode to it byte for byte, except for white space at its ends.
absl::StatusOr<std::vector<int>> EncodePrefix(const std::string& prefix, const ModelConfig& config,
                                              const Tokenizer& tokenizer) {
  if (absl::Status status = CheckUtf8("prefix", prefix); !status.ok()) return status;
  Pieces pieces = tokenizer.EncodeTarget(prefix);
  std::string unknown;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces.ids[i] != config.target_unk_id) continue;
    absl::StrAppend(&unknown, unknown.empty() ? "'" : ", '",
                    std::string(pieces.ranges[i].In(prefix)), "'");
  }
  if (!unknown.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix '", prefix, "' has ", unknown, ", which the vocabulary cannot spell"));
  }
  pieces.ids.pop_back();  // </s>
  const std::string decoded = tokenizer.DecodeTarget(pieces.ids, nullptr);
  if (decoded == TrimWhiteSpace(prefix).In(prefix)) return std::move(pieces.ids);
  return absl::InvalidArgumentError(absl::StrCat("the vocabulary cannot spell prefix '", prefix,
                                                 "': it becomes '", decoded, "'"));
}

// Fails if the prefix leaves no room for a translation or for alternatives.
absl::Status CheckRoom(const SearchOptions& options, const std::vector<int>& prefix,
                       const ModelConfig& config) {
  const bool is_limited =
      options.max_output_tokens > 0 && options.max_output_tokens < config.max_positions;
  const int max = is_limited ? options.max_output_tokens : config.max_positions;
  if (prefix.size() >= static_cast<size_t>(max)) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix has ", prefix.size(), " tokens: nothing can follow it within ",
                     is_limited ? "max_output_tokens " : "the model's limit, ", max));
  }
  if (options.min_output_tokens >= config.max_positions) {
    return absl::InvalidArgumentError(absl::StrCat("min_output_tokens ", options.min_output_tokens,
                                                   " and </s> exceed the model's limit, ",
                                                   config.max_positions));
  }
  if (options.alternatives_at >= 0 &&
      static_cast<size_t>(options.alternatives_at) < prefix.size()) {
    return absl::InvalidArgumentError(absl::StrCat("alternatives_at ", options.alternatives_at,
                                                   " is within the prefix, which has ",
                                                   prefix.size(), " tokens"));
  }
  return absl::OkStatus();
}

// Fails if the constraints forbid the prefix.
absl::Status CheckAllowed(const SearchOptions& options, const std::vector<int>& prefix,
                          const TokenConstraints& constraints, const Tokenizer& tokenizer) {
  bool is_allowed = true;
  for (size_t i = 0; i < prefix.size(); ++i) {
    ForEachForbidden(constraints, absl::MakeConstSpan(prefix).first(i),
                     [&](int token) { is_allowed = is_allowed && token != prefix[i]; });
  }
  if (!is_allowed) {
    return absl::InvalidArgumentError(
        absl::StrCat("prefix '", options.prefix, "' contains what suppress forbids"));
  }
  for (const int end : constraints.end_at) {
    if (std::find(prefix.begin(), prefix.end(), end) != prefix.end()) {
      return absl::InvalidArgumentError(absl::StrCat("prefix '", options.prefix, "' has '",
                                                     tokenizer.TargetPiece(end),
                                                     "', which ends the translation by end_at"));
    }
  }
  return absl::OkStatus();
}

}  // namespace

// An entry of end_at is both a piece and a text: "Auto" is the piece within words and, as a text,
// the piece "▁Auto".
absl::StatusOr<TokenConstraints> FindConstraints(const SearchOptions& options,
                                                 const ModelConfig& config,
                                                 const Tokenizer& tokenizer) {
  TokenConstraints constraints;
  for (int id = 0; id < config.target_vocab_size && !options.suppress.empty(); ++id) {
    constraints.spellings.push_back(tokenizer.TargetSpelling(id));
  }
  absl::Status status;
  for (const std::string& text : options.suppress) {
    status.Update(Suppress(text, config, tokenizer, constraints));
  }
  for (const std::string& text : options.end_at) {
    status.Update(EndAt(text, config, tokenizer, constraints));
  }
  if (!status.ok()) return status;
  return constraints;
}

absl::StatusOr<std::vector<int>> FindPrefix(const SearchOptions& options,
                                            const TokenConstraints& constraints,
                                            const ModelConfig& config, const Tokenizer& tokenizer) {
  std::vector<int> prefix;
  if (!options.prefix.empty()) {
    absl::StatusOr<std::vector<int>> encoded = EncodePrefix(options.prefix, config, tokenizer);
    if (!encoded.ok()) return encoded.status();
    prefix = *std::move(encoded);
  }
  if (absl::Status status = CheckRoom(options, prefix, config); !status.ok()) return status;
  if (absl::Status status = CheckAllowed(options, prefix, constraints, tokenizer); !status.ok()) {
    return status;
  }
  return prefix;
}

}  // namespace limpid::internal

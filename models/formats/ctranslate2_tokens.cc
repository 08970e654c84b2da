#include "models/formats/ctranslate2_tokens.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/io/file.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

absl::StatusOr<int> IdOf(const std::string& token, const std::vector<std::string>& vocabulary,
                         const char* side) {
  const auto found = std::find(vocabulary.begin(), vocabulary.end(), token);
  if (found == vocabulary.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the special token ", Quoted(token), " is not in the ", side, " vocabulary"));
  }
  return static_cast<int>(found - vocabulary.begin());
}

// Whether sources are to end with "</s>"; see the header.
absl::StatusOr<bool> SourcesEndWithEos(const SpecialTokens& tokens) {
  if (tokens.source_eos || tokens.starts_from_zeros) return true;
  if (!tokens.decoder_start.has_value()) {
    return absl::UnimplementedError(
        "\"decoder_start_token\" is none: translations begin with a token that the caller gives, "
        "such as a language, which Limpid cannot do");
  }
  if (*tokens.decoder_start == tokens.bos) return false;
  return absl::UnimplementedError(absl::StrCat(
      "\"decoder_start_token\" is ", Quoted(*tokens.decoder_start),
      " and \"add_source_eos\" is false: sources get special tokens from another program's "
      "tokenizer, as those of BART, mBART, M2M-100, NLLB and Pegasus do; Limpid cannot add them"));
}

absl::StatusOr<std::vector<std::string>> TokensOfJson(std::string_view text) {
  absl::StatusOr<json> array = ParseJson(text);
  if (!array.ok()) return array.status();
  if (!array->is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected an array of tokens, found ", Shown(*array)));
  }
  std::vector<std::string> tokens;
  tokens.reserve(array->size());
  for (json& token : *array) {
    if (!token.is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a token for id ", tokens.size(), ", found ", Shown(token)));
    }
    tokens.push_back(std::move(token.get_ref<std::string&>()));
  }
  return tokens;
}

// One token a line. A carriage return is part of a token, unless each line has one.
std::vector<std::string> TokensOfText(std::string_view text) {
  std::vector<std::string> tokens;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    tokens.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  const bool windows = std::all_of(tokens.begin(), tokens.end(),
                                   [](const std::string& token) { return token.ends_with('\r'); });
  for (std::string& token : tokens) {
    if (windows) token.pop_back();
  }
  return tokens;
}

// NotFound if neither form of it is there.
absl::StatusOr<std::vector<std::string>> ReadVocabulary(const std::string& name, int size,
                                                        const std::string& unk,
                                                        const ModelFiles& files) {
  for (const char* extension : {".json", ".txt"}) {
    const std::string file = name + extension;
    const absl::StatusOr<FileBytes> bytes = files.open(file);
    if (absl::IsNotFound(bytes.status())) continue;
    if (!bytes.ok()) return bytes.status();
    const bool is_json = file.ends_with("json");
    absl::StatusOr<std::vector<std::string>> tokens =
        is_json ? TokensOfJson(bytes->text()) : TokensOfText(bytes->text());
    if (!tokens.ok()) return InContext(files.PathOf(file), tokens.status());
    if (std::find(tokens->begin(), tokens->end(), unk) == tokens->end()) tokens->push_back(unk);
    if (tokens->size() != static_cast<size_t>(size)) {
      return absl::InvalidArgumentError(absl::StrCat(files.PathOf(file), ": expected ", size,
                                                     " tokens, as many as embeddings, found ",
                                                     tokens->size(), " with ", Quoted(unk)));
    }
    return tokens;
  }
  return absl::NotFoundError(
      absl::StrCat(files.place, ": has no ", name, ".json and no ", name, ".txt"));
}

absl::StatusOr<SpecialTokens> TokensFromConfig(const json& object) {
  SpecialTokens tokens;
  for (const auto& [key, token] :
       {std::pair{"unk_token", &tokens.unk}, std::pair{"bos_token", &tokens.bos},
        std::pair{"eos_token", &tokens.eos}}) {
    const auto value = object.find(key);
    if (value == object.end() || !value->is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat(Quoted(key), ": expected a string, found ",
                       value == object.end() ? "nothing" : Shown(*value)));
    }
    *token = value->get<std::string>();
  }
  const auto start = object.find("decoder_start_token");
  if (start != object.end() && start->is_string()) tokens.decoder_start = start->get<std::string>();
  tokens.source_bos = object.value("add_source_bos", json(false)) == true;
  tokens.source_eos = object.value("add_source_eos", json(false)) == true;
  return tokens;
}

SpecialTokens TokensFromVariables(CTranslate2Variables& variables) {
  const auto flag = [&](const char* name, bool otherwise) {
    const auto scalar = variables.TakeScalar(name);
    return scalar.has_value() ? scalar->value != 0 : otherwise;
  };
  SpecialTokens tokens;
  tokens.unk = variables.TakeText("unk_token", "<unk>");
  tokens.bos = variables.TakeText("bos_token", "<s>");
  tokens.eos = variables.TakeText("eos_token", "</s>");
  tokens.source_bos = flag("with_source_bos", false);
  tokens.source_eos = flag("with_source_eos", false);
  const std::string& start = flag("with_target_bos", true) ? tokens.bos : tokens.eos;
  if (!flag("user_decoder_start_tokens", false)) tokens.decoder_start = start;
  return tokens;
}

}  // namespace

absl::StatusOr<SpecialTokens> ReadTokens(const json& config, CTranslate2Variables& variables) {
  absl::StatusOr<SpecialTokens> tokens =
      variables.version < 6 ? TokensFromVariables(variables) : TokensFromConfig(config);
  const auto zeros = variables.TakeScalar("decoder/start_from_zero_embedding");
  if (tokens.ok()) tokens->starts_from_zeros = zeros.has_value() && zeros->value != 0;
  return tokens;
}

absl::Status ReadVocabularies(const ModelFiles& files, const std::string& unk,
                              Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  auto source = ReadVocabulary("shared_vocabulary", config.source_vocab_size, unk, files);
  auto target = source;
  if (absl::IsNotFound(source.status())) {
    source = ReadVocabulary("source_vocabulary", config.source_vocab_size, unk, files);
    target = ReadVocabulary("target_vocabulary", config.target_vocab_size, unk, files);
  }
  if (!source.ok()) return source.status();
  if (!target.ok()) return target.status();
  checkpoint.source_vocabulary = *std::move(source);
  checkpoint.target_vocabulary = *std::move(target);
  return absl::OkStatus();
}

absl::Status SetTokens(const SpecialTokens& tokens, Checkpoint& checkpoint) {
  const absl::StatusOr<bool> source_eos = SourcesEndWithEos(tokens);
  if (!source_eos.ok()) return source_eos.status();
  ModelConfig& config = checkpoint.config;
  struct Wanted {
    bool wanted;
    std::string token;
    const std::vector<std::string>* vocabulary;
    const char* side;
    int* id;
  };
  const std::vector<std::string>& source = checkpoint.source_vocabulary;
  const std::vector<std::string>& target = checkpoint.target_vocabulary;
  for (const Wanted& each :
       {Wanted{tokens.source_bos, tokens.bos, &source, "source", &config.source_bos_id},
        Wanted{*source_eos, tokens.eos, &source, "source", &config.source_eos_id},
        Wanted{true, tokens.unk, &source, "source", &config.source_unk_id},
        Wanted{true, tokens.eos, &target, "target", &config.target_eos_id},
        Wanted{true, tokens.unk, &target, "target", &config.target_unk_id},
        Wanted{!tokens.starts_from_zeros, tokens.decoder_start.value_or(""), &target, "target",
               &config.decoder_start_id}}) {
    *each.id = -1;
    if (!each.wanted) continue;
    const absl::StatusOr<int> id = IdOf(each.token, *each.vocabulary, each.side);
    if (!id.ok()) return id.status();
    *each.id = *id;
  }
  return absl::OkStatus();
}

}  // namespace limpid::internal

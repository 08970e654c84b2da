#include "tokenizer/tokenizer.h"

#include <cstddef>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/sentencepiece_adapter.h"
#include "tokenizer/sentencepiece_check.h"
#include "tokenizer/sentencepiece_tokenizer.h"
#include "tokenizer/space_tokenizer.h"
#include "tokenizer/subword_nmt.h"
#include "tokenizer/subword_tokenizer.h"
#include "tokenizer/vocabulary.h"

namespace limpid::internal {
namespace {

absl::StatusOr<std::shared_ptr<const SentencePieceAdapter>> LoadSentencePiece(
    const std::string& side, const std::string& model) {
  const absl::Status status = CheckSentencePiece(model);
  std::string error(status.message());
  if (status.ok()) {
    std::shared_ptr<const SentencePieceAdapter> loaded = SentencePieceAdapter::Load(model, error);
    if (loaded != nullptr) return loaded;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the ", side, " SentencePiece model cannot be used: ", error));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Create(TokenizerModel model) {
  if (model.source_sentencepiece.empty() != model.target_sentencepiece.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "the ", model.source_sentencepiece.empty() ? "source" : "target",
        " SentencePiece model is missing; expected one for each side, or none for text that comes "
        "split into pieces"));
  }
  if (!model.source_sentencepiece.empty() && !model.subword_merges.empty()) {
    return absl::InvalidArgumentError(
        "found both SentencePiece models and subword-nmt merges; expected one of the two");
  }
  auto source = Vocabulary::Create("source", std::move(model.source_vocabulary),
                                   model.source_bos_id, model.source_eos_id, model.source_unk_id);
  if (!source.ok()) return source.status();
  auto target = source;
  if (model.target_vocabulary != (*source)->pieces() || model.source_bos_id >= 0 ||
      model.target_eos_id != model.source_eos_id || model.target_unk_id != model.source_unk_id) {
    target = Vocabulary::Create("target", std::move(model.target_vocabulary), -1,
                                model.target_eos_id, model.target_unk_id);
    if (!target.ok()) return target.status();
  }
  if (!model.subword_merges.empty()) {
    auto merges = SubwordNmt::Parse(model.subword_merges);
    if (!merges.ok()) return merges.status();
    return std::make_unique<SubwordTokenizer>(*std::move(source), *std::move(target),
                                              std::move(model.source_language),
                                              std::move(model.target_language), *std::move(merges));
  }
  if (model.source_sentencepiece.empty()) {
    return std::make_unique<SpaceTokenizer>(*std::move(source), *std::move(target));
  }
  auto source_sentencepiece = LoadSentencePiece("source", model.source_sentencepiece);
  if (!source_sentencepiece.ok()) return source_sentencepiece.status();
  auto target_sentencepiece = source_sentencepiece;
  if (model.target_sentencepiece != model.source_sentencepiece) {
    target_sentencepiece = LoadSentencePiece("target", model.target_sentencepiece);
    if (!target_sentencepiece.ok()) return target_sentencepiece.status();
  }
  return std::make_unique<SentencePieceTokenizer>(*std::move(source), *std::move(target),
                                                  *std::move(source_sentencepiece),
                                                  *std::move(target_sentencepiece));
}

bool IsLanguageCode(std::string_view piece) {
  return piece.starts_with(">>") && piece.ends_with("<<") && piece.size() > 4;
}

size_t SpelledLanguageCodeSize(std::string_view text) {
  constexpr size_t kMaxSize = 16;  // between the brackets
  if (!text.starts_with(">>")) return 0;
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  size_t end = 2;
  while (end < text.size() && end < 2 + kMaxSize && is_part(text[end])) ++end;
  return end > 2 && text.substr(end).starts_with("<<") ? end + 2 : 0;
}

}  // namespace limpid::internal

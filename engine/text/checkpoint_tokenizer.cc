#include "engine/text/checkpoint_tokenizer.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "models/io/file.h"
#include "tokenizer/sentencepiece_pieces.h"

namespace limpid::internal {
namespace {

// The files of a folder, for messages; "nothing" for a model in memory.
std::string FilesIn(const std::string& path) { return Exists(path) ? NamesIn(path) : "nothing"; }

// Whether a piece has SentencePiece's or subword-nmt's mark.
bool IsMarked(std::string_view piece) { return piece.starts_with("▁") || piece.ends_with("@@"); }

// Fails if the vocabulary has subword pieces although the model has no tokenizer to produce them.
absl::Status CheckThatPiecesAreWords(const TokenizerFiles& files) {
  const std::vector<std::string>& pieces = files.model.source_vocabulary;
  const auto marked = static_cast<size_t>(std::count_if(pieces.begin(), pieces.end(), IsMarked));
  constexpr size_t kShare = 50;  // one marked piece in 50
  if (files.is_stated || marked * kShare < pieces.size() || marked == 0) return absl::OkStatus();
  const std::string& piece = *std::find_if(pieces.begin(), pieces.end(), IsMarked);
  return absl::FailedPreconditionError(absl::StrCat(
      files.path, ": found no tokenizer, though the vocabulary has pieces such as \"", piece,
      "\"; looked for ", files.names.empty() ? "none" : files.names, ", found ",
      FilesIn(files.path), "; put the model's tokenizer there, or if text already comes split ",
      "into pieces by spaces, use `limpid convert --tokenizer=spaces`"));
}

// Fails if a SentencePiece model belongs to another model. The right one has at least three
// quarters of its pieces in the vocabulary, or makes up a quarter of a vocabulary pruned to one
// language.
absl::Status CheckThatItFits(const std::string& path, const std::string& sentencepiece,
                             const std::vector<std::string>& vocabulary) {
  const absl::StatusOr<std::vector<std::string>> pieces = SentencePiecePieces(sentencepiece);
  if (!pieces.ok()) return InContext(path, pieces.status());
  const std::unordered_set<std::string_view> known(pieces->begin(), pieces->end());
  const auto common = static_cast<size_t>(
      std::count_if(vocabulary.begin(), vocabulary.end(),
                    [&](const std::string& piece) { return known.contains(piece); }));
  if (common * 4 >= pieces->size() * 3 || common * 4 >= vocabulary.size()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": belongs to another model: of its ", pieces->size(), " pieces only ",
                   common, " are among the ", vocabulary.size(), " of the vocabulary"));
}

// The files of both sides, for messages.
std::string PathsOf(const TokenizerFiles& files) {
  if (files.source_path.empty()) return files.path;
  if (files.source_path == files.target_path) return files.source_path;
  return absl::StrCat(files.source_path, " and ", files.target_path);
}

absl::Status CheckFiles(const TokenizerFiles& files) {
  const TokenizerModel& model = files.model;
  if (!model.subword_merges.empty()) return absl::OkStatus();
  if (model.source_sentencepiece.empty()) return CheckThatPiecesAreWords(files);
  absl::Status status =
      CheckThatItFits(files.source_path, model.source_sentencepiece, model.source_vocabulary);
  if (!status.ok() || (model.source_sentencepiece == model.target_sentencepiece &&
                       model.source_vocabulary == model.target_vocabulary)) {
    return status;
  }
  return CheckThatItFits(files.target_path, model.target_sentencepiece, model.target_vocabulary);
}

}  // namespace

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

TokenizerFiles TakeTokenizerFiles(Checkpoint& checkpoint) {
  return {.model = TakeTokenizerModel(checkpoint),
          .path = checkpoint.path,
          .source_path = std::move(checkpoint.source_tokenizer_path),
          .target_path = std::move(checkpoint.target_tokenizer_path),
          .names = std::move(checkpoint.tokenizer_names),
          .is_stated = checkpoint.config.tokenizer.has_value()};
}

absl::StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizer(TokenizerFiles files) {
  if (absl::Status status = CheckFiles(files); !status.ok()) return status;
  const std::string paths = PathsOf(files);
  absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer = Tokenizer::Create(std::move(files.model));
  if (!tokenizer.ok()) return InContext(paths, tokenizer.status());
  return tokenizer;
}

std::string MissingTokenizer(const Checkpoint& checkpoint) {
  const bool is_stated = checkpoint.config.tokenizer.has_value();
  if (is_stated || TokenizerKindOf(checkpoint) != TokenizerKind::kSpaces) return "";
  return absl::StrCat(checkpoint.path,
                      ": found no tokenizer, so text must come split into pieces by ",
                      "spaces; looked for ",
                      checkpoint.tokenizer_names.empty() ? "none" : checkpoint.tokenizer_names,
                      ", found ", FilesIn(checkpoint.path));
}

}  // namespace limpid::internal

#include "models/formats/marian_vocabulary.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <system_error>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/formats/tokenizer_files.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/model_files.h"
#include "models/io/yaml.h"
#include "tokenizer/sentencepiece_pieces.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;

// --- Which files ---

struct VocabularyPaths {
  std::string source;
  std::string target;
};

// The vocabularies that decoder.yml names, if both are in the folder.
absl::StatusOr<std::optional<VocabularyPaths>> NamedVocabularies(const std::string& model_path) {
  const fs::path folder = fs::path(model_path).parent_path();
  for (const std::string& path : {model_path + ".decoder.yml", (folder / "decoder.yml").string()}) {
    if (!Exists(path)) continue;
    const absl::StatusOr<YamlMapping> options = ReadYaml(path);
    if (!options.ok()) return options.status();
    const auto vocabularies = options->find("vocabs");
    if (vocabularies == options->end() || vocabularies->second.items.size() != 2) continue;
    // Their folders are those of the training machine.
    const auto here = [&](const std::string& name) {
      return (folder / fs::path(name).filename()).string();
    };
    VocabularyPaths paths = {here(vocabularies->second.items[0]),
                             here(vocabularies->second.items[1])};
    if (Exists(paths.source) && Exists(paths.target)) return paths;
  }
  return std::nullopt;
}

bool Contains(const std::string& name, std::initializer_list<std::string_view> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return name.find(part) != std::string::npos; });
}

bool IsVocabularyName(const std::string& name) {
  return Contains(name, {"vocab"}) &&
         (name.ends_with(".spm") || name.ends_with(".yml") || name.ends_with(".yaml"));
}

absl::StatusOr<VocabularyPaths> FindVocabularies(const std::string& model_path) {
  const auto named = NamedVocabularies(model_path);
  if (!named.ok()) return named.status();
  if (named->has_value()) return **named;

  const fs::path parent = fs::path(model_path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  std::set<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (IsVocabularyName(name)) names.insert(name);
  }
  if (names.size() == 1) {
    return VocabularyPaths{folder + "/" + *names.begin(), folder + "/" + *names.begin()};
  }
  if (names.size() == 2) {
    // "source" comes before "target", and "src" before "trg".
    const std::string& source = *names.begin();
    const std::string& target = *names.rbegin();
    if (Contains(source, {"src", "source"}) && Contains(target, {"trg", "target"})) {
      return VocabularyPaths{folder + "/" + source, folder + "/" + target};
    }
  }
  return absl::InvalidArgumentError(absl::StrCat(
      folder,
      ": expected one vocabulary beside the model (\"vocab\" in its name, .spm or .yml), or ",
      "one with \"src\" and one with \"trg\" in its name, found ",
      names.empty() ? "none" : absl::StrJoin(names, ", ")));
}

// --- Reading ---

absl::StatusOr<std::vector<std::string>> PiecesById(const YamlMapping& ids) {
  std::vector<std::string> pieces(ids.size());
  std::vector<bool> taken(ids.size());
  for (const auto& [piece, value] : ids) {
    size_t id = 0;
    if (value.is_list || !absl::SimpleAtoi(value.items[0], &id) || id >= ids.size() || taken[id]) {
      return absl::InvalidArgumentError(absl::StrCat(
          "piece ", Quoted(piece), ": expected an id of its own below ", ids.size(),
          ", the number of pieces, found ", value.is_list ? "a list" : Quoted(value.items[0])));
    }
    taken[id] = true;
    pieces[id] = piece;
  }
  return pieces;
}

// Reads the pieces of one side; a SentencePiece vocabulary also sets `model`.
absl::StatusOr<std::vector<std::string>> ReadPieces(const std::string& path, int size,
                                                    std::string& model) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<std::vector<std::string>> pieces;
  if (path.ends_with(".spm")) {
    model = (*file)->text();
    pieces = SentencePiecePieces(model);
  } else {
    const absl::StatusOr<YamlMapping> ids = ParseYaml((*file)->text());
    pieces = ids.ok() ? PiecesById(*ids) : ids.status();
  }
  if (!pieces.ok()) return InContext(path, pieces.status());
  if (pieces->size() == static_cast<size_t>(size)) return pieces;
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": the model's embedding has ", size, " rows, found ", pieces->size(),
                   " pieces; is it the vocabulary of another model?"));
}

absl::Status FindId(const std::string& path, const std::vector<std::string>& vocabulary,
                    const char* piece, int& id) {
  const auto found = std::find(vocabulary.begin(), vocabulary.end(), piece);
  if (found == vocabulary.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": the special token ", Quoted(piece), " is missing"));
  }
  id = static_cast<int>(found - vocabulary.begin());
  return absl::OkStatus();
}

}  // namespace

absl::Status ReadMarianVocabularies(const std::string& model_path, Checkpoint& checkpoint) {
  const absl::StatusOr<VocabularyPaths> paths = FindVocabularies(model_path);
  if (!paths.ok()) return paths.status();
  ModelConfig& config = checkpoint.config;
  auto source =
      ReadPieces(paths->source, config.source_vocab_size, checkpoint.source_sentencepiece);
  if (!source.ok()) return source.status();
  auto target =
      ReadPieces(paths->target, config.target_vocab_size, checkpoint.target_sentencepiece);
  if (!target.ok()) return target.status();

  absl::Status status = FindId(paths->source, *source, "</s>", config.source_eos_id);
  status.Update(FindId(paths->source, *source, "<unk>", config.source_unk_id));
  status.Update(FindId(paths->target, *target, "</s>", config.target_eos_id));
  status.Update(FindId(paths->target, *target, "<unk>", config.target_unk_id));
  // Marian's decoder never produces it.
  config.bad_words = {config.target_unk_id};

  if (!status.ok()) return status;
  checkpoint.source_tokenizer_path = paths->source;
  checkpoint.target_tokenizer_path = paths->target;
  // A YAML vocabulary comes with a separate SentencePiece model.
  if (checkpoint.source_sentencepiece.empty() && checkpoint.target_sentencepiece.empty()) {
    const std::string folder = fs::path(model_path).parent_path();
    status = ReadTokenizerFiles(FilesOfFolder(folder.empty() ? "." : folder), checkpoint);
    if (!status.ok()) return status;
  }
  if (checkpoint.source_sentencepiece.empty() != checkpoint.target_sentencepiece.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(paths->source, " and ", paths->target,
                     ": expected SentencePiece models for both sides or for neither, found one"));
  }
  checkpoint.source_vocabulary = *std::move(source);
  checkpoint.target_vocabulary = *std::move(target);
  return absl::OkStatus();
}

}  // namespace limpid::internal

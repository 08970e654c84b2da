#include "models/native/native.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/new_folder.h"
#include "models/model/weights.h"
#include "models/native/checksum.h"
#include "models/native/safetensors.h"
#include "models/native/shortlist.h"

namespace limpid::internal {
namespace {

constexpr char kConfigFile[] = "/config.json";
constexpr char kTensorsFile[] = "/model.safetensors";
constexpr char kSourceSentencePieceFile[] = "/source.spm";
constexpr char kTargetSentencePieceFile[] = "/target.spm";
constexpr char kMergesFile[] = "/subword.bpe";
constexpr char kShortlistFile[] = "/shortlist.bin";
constexpr char kVocabularyFile[] = "/vocabulary.json";
constexpr char kSourceVocabularyFile[] = "/source_vocabulary.json";
constexpr char kTargetVocabularyFile[] = "/target_vocabulary.json";

// --- Reading ---

// Reads files of a folder and verifies their checksums.
class FolderReader {
 public:
  static absl::StatusOr<FolderReader> Open(const std::string& folder) {
    absl::StatusOr<FileChecksums> checksums = FileChecksums::Read(folder);
    if (!checksums.ok()) return checksums.status();
    return FolderReader(folder, *std::move(checksums));
  }

  const std::string& folder() const { return folder_; }
  std::string PathOf(const char* name) const { return folder_ + name; }
  bool Has(const char* name) const { return Exists(folder_ + name); }

  absl::StatusOr<std::vector<std::string>> ReadVocabulary(const char* name, int size) const;
  // Reads a SentencePiece model or merges.
  absl::Status ReadTokenizer(const char* name, std::string& bytes, std::string& path) const;

 private:
  FolderReader(std::string folder, FileChecksums checksums)
      : folder_(std::move(folder)), checksums_(std::move(checksums)) {}

  std::string folder_;
  FileChecksums checksums_;
};

absl::StatusOr<std::vector<std::string>> PiecesOf(std::string_view text, int size) {
  absl::StatusOr<nlohmann::json> document = ParseJson(text);
  if (!document.ok()) return document.status();
  if (!document->is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected an array of pieces, found ", Shown(*document)));
  }
  if (document->size() != static_cast<size_t>(size)) {
    return absl::InvalidArgumentError(
        absl::StrCat("config.json asks for ", size, " pieces, found ", document->size()));
  }
  std::vector<std::string> pieces;
  pieces.reserve(document->size());
  for (nlohmann::json& piece : *document) {
    if (!piece.is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a piece for id ", pieces.size(), ", found ", Shown(piece)));
    }
    pieces.push_back(std::move(piece.get_ref<std::string&>()));
  }
  return pieces;
}

absl::StatusOr<std::vector<std::string>> FolderReader::ReadVocabulary(const char* name,
                                                                      int size) const {
  const auto file = MappedFile::Open(PathOf(name));
  if (!file.ok()) return file.status();
  absl::StatusOr<std::vector<std::string>> pieces = PiecesOf((*file)->text(), size);
  if (!pieces.ok()) return InContext(PathOf(name), pieces.status());
  absl::Status status = checksums_.Check(name + 1, (*file)->bytes());
  if (!status.ok()) return status;
  return pieces;
}

absl::Status FolderReader::ReadTokenizer(const char* name, std::string& bytes,
                                         std::string& path) const {
  path = PathOf(name);
  const auto file = MappedFile::Open(path);
  if (absl::IsNotFound(file.status())) {
    return absl::NotFoundError(
        absl::StrCat(path, ": is missing; the tokenizer that config.json names needs it"));
  }
  if (!file.ok()) return file.status();
  if ((*file)->text().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(path, ": is empty"));
  }
  bytes = (*file)->text();
  return checksums_.Check(name + 1, (*file)->bytes());
}

absl::Status ReadVocabularies(const FolderReader& reader, Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  const bool separate = reader.Has(kSourceVocabularyFile);
  if (separate && reader.Has(kVocabularyFile)) {
    return absl::InvalidArgumentError(absl::StrCat(
        reader.folder(), ": expected vocabulary.json or source_vocabulary.json, found both"));
  }
  auto source = reader.ReadVocabulary(separate ? kSourceVocabularyFile : kVocabularyFile,
                                      config.source_vocab_size);
  if (!source.ok()) return source.status();
  checkpoint.source_vocabulary = *std::move(source);
  if (!separate && config.target_vocab_size == config.source_vocab_size) {
    checkpoint.target_vocabulary = checkpoint.source_vocabulary;
    return absl::OkStatus();
  }
  auto target = reader.ReadVocabulary(separate ? kTargetVocabularyFile : kVocabularyFile,
                                      config.target_vocab_size);
  if (!target.ok()) return target.status();
  checkpoint.target_vocabulary = *std::move(target);
  return absl::OkStatus();
}

// For folders of older versions, whose config.json does not name the tokenizer.
absl::StatusOr<TokenizerKind> InferTokenizer(const FolderReader& reader) {
  if (reader.Has(kTargetSentencePieceFile) && !reader.Has(kSourceSentencePieceFile)) {
    return absl::InvalidArgumentError(
        absl::StrCat(reader.folder(),
                     ": has target.spm but no source.spm; expected both, only source.spm "
                     "where both are the same, or none"));
  }
  if (reader.Has(kMergesFile)) return TokenizerKind::kMosesSubwordNmt;
  if (reader.Has(kTargetSentencePieceFile)) return TokenizerKind::kSentencePiecePerSide;
  return reader.Has(kSourceSentencePieceFile) ? TokenizerKind::kSentencePiece
                                              : TokenizerKind::kSpaces;
}

// The files that a kind of tokenizer has; it must not have others.
std::vector<const char*> FilesOf(TokenizerKind kind) {
  switch (kind) {
    case TokenizerKind::kSpaces:
      return {};
    case TokenizerKind::kSentencePiece:
      return {kSourceSentencePieceFile};
    case TokenizerKind::kSentencePiecePerSide:
      return {kSourceSentencePieceFile, kTargetSentencePieceFile};
    case TokenizerKind::kMosesSubwordNmt:
      return {kMergesFile};
  }
  return {};
}

absl::Status RefuseOtherTokenizers(TokenizerKind kind, const FolderReader& reader) {
  const std::vector<const char*> files = FilesOf(kind);
  for (const char* name : {kSourceSentencePieceFile, kTargetSentencePieceFile, kMergesFile}) {
    if (!reader.Has(name) || std::find(files.begin(), files.end(), name) != files.end()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(reader.PathOf(name), ": does not belong to a model whose tokenizer is ",
                     Quoted(std::string(TokenizerKindName(kind))),
                     " (FORMAT.md); remove it, or correct the tokenizer in ", "config.json"));
  }
  return absl::OkStatus();
}

absl::Status ReadTokenizer(const FolderReader& reader, Checkpoint& checkpoint) {
  absl::StatusOr<TokenizerKind> kind = InferTokenizer(reader);
  if (checkpoint.config.tokenizer.has_value()) kind = *checkpoint.config.tokenizer;
  if (!kind.ok()) return kind.status();
  if (absl::Status status = RefuseOtherTokenizers(*kind, reader); !status.ok()) return status;
  absl::Status status;
  switch (*kind) {
    case TokenizerKind::kSpaces:
      checkpoint.tokenizer_names = "source.spm, target.spm and subword.bpe";
      return absl::OkStatus();
    case TokenizerKind::kMosesSubwordNmt:
      status = reader.ReadTokenizer(kMergesFile, checkpoint.subword_merges,
                                    checkpoint.source_tokenizer_path);
      checkpoint.target_tokenizer_path = checkpoint.source_tokenizer_path;
      return status;
    default:
      break;
  }
  status = reader.ReadTokenizer(kSourceSentencePieceFile, checkpoint.source_sentencepiece,
                                checkpoint.source_tokenizer_path);
  if (!status.ok()) return status;
  checkpoint.target_sentencepiece = checkpoint.source_sentencepiece;
  checkpoint.target_tokenizer_path = checkpoint.source_tokenizer_path;
  if (*kind == TokenizerKind::kSentencePiece) return status;
  return reader.ReadTokenizer(kTargetSentencePieceFile, checkpoint.target_sentencepiece,
                              checkpoint.target_tokenizer_path);
}

// Optional.
absl::Status ReadShortlist(const std::string& folder, Checkpoint& checkpoint) {
  const std::string path = folder + kShortlistFile;
  const auto file = MappedFile::Open(path);
  if (absl::IsNotFound(file.status())) return absl::OkStatus();
  if (!file.ok()) return file.status();
  const ModelConfig& config = checkpoint.config;
  const auto shortlist =
      ParseShortlist((*file)->bytes(), config.source_vocab_size, config.target_vocab_size);
  if (!shortlist.ok()) return InContext(path, shortlist.status());
  checkpoint.shortlist = (*file)->text();
  return absl::OkStatus();
}

// --- Writing ---

absl::Status WriteVocabulary(const std::string& path, const std::vector<std::string>& pieces) {
  const absl::StatusOr<std::string> text = FormatStrings(pieces);
  if (!text.ok()) return InContext(path, text.status());
  return WriteFile(path, *text);
}

absl::Status WriteFiles(const Checkpoint& checkpoint, const std::string& folder) {
  ModelConfig config = checkpoint.config;
  config.tokenizer = TokenizerKindOf(checkpoint);
  absl::Status status = WriteFile(folder + kConfigFile, FormatConfig(config));
  if (checkpoint.source_vocabulary == checkpoint.target_vocabulary) {
    status.Update(WriteVocabulary(folder + kVocabularyFile, checkpoint.source_vocabulary));
  } else {
    status.Update(WriteVocabulary(folder + kSourceVocabularyFile, checkpoint.source_vocabulary));
    status.Update(WriteVocabulary(folder + kTargetVocabularyFile, checkpoint.target_vocabulary));
  }
  if (!checkpoint.source_sentencepiece.empty()) {
    status.Update(WriteFile(folder + kSourceSentencePieceFile, checkpoint.source_sentencepiece));
  }
  if (config.tokenizer == TokenizerKind::kSentencePiecePerSide) {
    status.Update(WriteFile(folder + kTargetSentencePieceFile, checkpoint.target_sentencepiece));
  }
  if (!checkpoint.subword_merges.empty()) {
    status.Update(WriteFile(folder + kMergesFile, checkpoint.subword_merges));
  }
  if (!checkpoint.shortlist.empty()) {
    status.Update(WriteFile(folder + kShortlistFile, checkpoint.shortlist));
  }
  status.Update(
      WriteSafetensors(folder + kTensorsFile, checkpoint.tensors, Checksums(checkpoint.tensors)));
  return status.ok() ? WriteFileChecksums(folder) : status;
}

// Refuses what is not a Limpid folder, and says what to do. Damage is for ReadNative to report.
absl::Status CheckFormat(const std::string& folder) {
  if (!Exists(folder)) {
    return absl::NotFoundError(absl::StrCat(folder, ": no such file or folder"));
  }
  const std::string how_to_convert = absl::StrCat(
      "; convert a model of another format first: limpid convert --from=", folder, " --to=DIR");
  const std::string path = folder + kConfigFile;
  if (!Exists(path)) {
    return absl::NotFoundError(absl::StrCat(path, ": no such file", how_to_convert));
  }
  const auto config = ReadJsonObject(path);
  if (!config.ok() || config->contains("limpid_format")) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat(path, ": has no key \"limpid_format\"", how_to_convert));
}

}  // namespace

bool IsNative(const std::string& path) {
  const auto config = ReadJsonObject(path + kConfigFile);
  return config.ok() && config->contains("limpid_format");
}

absl::StatusOr<Checkpoint> ReadNative(const std::string& folder) {
  if (absl::Status status = CheckFormat(folder); !status.ok()) return status;
  Checkpoint checkpoint;
  checkpoint.path = folder;
  checkpoint.format = "Limpid folder";

  const std::string config_path = folder + kConfigFile;
  const auto config_file = MappedFile::Open(config_path);
  if (!config_file.ok()) return config_file.status();
  const auto config = ParseConfig((*config_file)->text());
  if (!config.ok()) return InContext(config_path, config.status());
  checkpoint.config = *config;

  const std::string tensors_path = folder + kTensorsFile;
  auto tensors = ReadSafetensors(tensors_path);
  if (!tensors.ok()) return tensors.status();
  checkpoint.tensors = std::move(tensors->tensors);
  checkpoint.storage = std::move(tensors->storage);
  checkpoint.file = std::move(tensors->file);
  const auto weights = BindWeights(checkpoint.config, checkpoint.tensors);
  if (!weights.ok()) return InContext(tensors_path, weights.status());

  const absl::StatusOr<FolderReader> reader = FolderReader::Open(folder);
  if (!reader.ok()) return reader.status();
  absl::Status status = ReadVocabularies(*reader, checkpoint);
  if (status.ok()) status = ReadTokenizer(*reader, checkpoint);
  if (status.ok()) status = ReadShortlist(folder, checkpoint);
  if (!status.ok()) return status;
  return checkpoint;
}

absl::Status WriteNative(const Checkpoint& checkpoint, const std::string& folder, DType dtype) {
  const auto converted = WithMatricesIn(dtype, checkpoint);
  if (!converted.ok()) return converted.status();
  return WriteNewFolder(folder,
                        [&](const std::string& path) { return WriteFiles(*converted, path); });
}

}  // namespace limpid::internal

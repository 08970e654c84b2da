// Limpid's own model folder, to read and to write. models/FORMAT.md describes it.

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/checkpoint.h"
#include "models/checksum.h"
#include "models/convert_tensor.h"
#include "models/file.h"
#include "models/json.h"
#include "models/new_folder.h"
#include "models/safetensors.h"
#include "models/shortlist.h"
#include "models/weights.h"

namespace limpid {
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

absl::StatusOr<std::vector<std::string>> ReadVocabulary(const std::string& path, int size) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<nlohmann::json> document = ParseJson((*file)->text());
  if (!document.ok()) return InContext(path, document.status());
  if (!document->is_array()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected an array of pieces, found ", Shown(*document)));
  }
  if (document->size() != static_cast<size_t>(size)) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": config.json asks for ", size, " pieces, found ", document->size()));
  }
  std::vector<std::string> pieces;
  pieces.reserve(document->size());
  for (nlohmann::json& piece : *document) {
    if (!piece.is_string()) {
      return absl::InvalidArgumentError(absl::StrCat(path, ": expected a piece for id ",
                                                     pieces.size(), ", found ", Shown(piece)));
    }
    pieces.push_back(std::move(piece.get_ref<std::string&>()));
  }
  return pieces;
}

absl::Status ReadVocabularies(const std::string& folder, Checkpoint& checkpoint) {
  const ModelConfig& config = checkpoint.config;
  const bool separate = Exists(folder + kSourceVocabularyFile);
  if (separate && Exists(folder + kVocabularyFile)) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": expected vocabulary.json or source_vocabulary.json, found both"));
  }
  auto source = ReadVocabulary(folder + (separate ? kSourceVocabularyFile : kVocabularyFile),
                               config.source_vocab_size);
  if (!source.ok()) return source.status();
  checkpoint.source_vocabulary = *std::move(source);
  if (!separate && config.target_vocab_size == config.source_vocab_size) {
    checkpoint.target_vocabulary = checkpoint.source_vocabulary;
    return absl::OkStatus();
  }
  auto target = ReadVocabulary(folder + (separate ? kTargetVocabularyFile : kVocabularyFile),
                               config.target_vocab_size);
  if (!target.ok()) return target.status();
  checkpoint.target_vocabulary = *std::move(target);
  return absl::OkStatus();
}

// Reads a SentencePiece model, or merges, whole; a file that is not there leaves `bytes` as they
// are.
absl::Status ReadIfThere(const std::string& path, std::string& bytes) {
  const auto file = MappedFile::Open(path);
  if (absl::IsNotFound(file.status())) return absl::OkStatus();
  if (!file.ok()) return file.status();
  if ((*file)->text().empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        path, ": is empty; a model for text that is already split into pieces has no such file"));
  }
  bytes = (*file)->text();
  return absl::OkStatus();
}

// Reads what cuts text into pieces.
absl::Status ReadCutters(const std::string& folder, Checkpoint& checkpoint) {
  absl::Status status = ReadIfThere(folder + kMergesFile, checkpoint.subword_merges);
  if (!status.ok()) return status;
  status = ReadIfThere(folder + kSourceSentencePieceFile, checkpoint.source_sentencepiece);
  if (!status.ok()) return status;
  checkpoint.target_sentencepiece = checkpoint.source_sentencepiece;
  status = ReadIfThere(folder + kTargetSentencePieceFile, checkpoint.target_sentencepiece);
  if (status.ok() && checkpoint.source_sentencepiece.empty() &&
      !checkpoint.target_sentencepiece.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder,
                     ": has target.spm but no source.spm; expected both, only source.spm "
                     "where both are the same, or none"));
  }
  if (status.ok() && !checkpoint.subword_merges.empty() &&
      !checkpoint.source_sentencepiece.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat(folder, ": expected source.spm or subword.bpe, found both"));
  }
  return status;
}

// Reads the shortlist, if there is one.
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
  absl::Status status = WriteFile(folder + kConfigFile, FormatConfig(checkpoint.config));
  if (checkpoint.source_vocabulary == checkpoint.target_vocabulary) {
    status.Update(WriteVocabulary(folder + kVocabularyFile, checkpoint.source_vocabulary));
  } else {
    status.Update(WriteVocabulary(folder + kSourceVocabularyFile, checkpoint.source_vocabulary));
    status.Update(WriteVocabulary(folder + kTargetVocabularyFile, checkpoint.target_vocabulary));
  }
  if (!checkpoint.source_sentencepiece.empty()) {
    status.Update(WriteFile(folder + kSourceSentencePieceFile, checkpoint.source_sentencepiece));
  }
  if (checkpoint.target_sentencepiece != checkpoint.source_sentencepiece) {
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
  return status;
}

}  // namespace

absl::StatusOr<Checkpoint> WithMatricesIn(DType dtype, const Checkpoint& checkpoint) {
  Checkpoint converted = checkpoint;
  for (auto& [name, tensor] : converted.tensors) {
    const DType wanted = tensor.shape.size() < 2 ? DType::kFloat32 : dtype;
    if (absl::Status status = ConvertTensor(wanted, tensor, converted.storage); !status.ok()) {
      return InContext(absl::StrCat("tensor ", Quoted(name)), status);
    }
  }
  return converted;
}

bool IsNative(const std::string& path) {
  const auto config = ReadJsonObject(path + kConfigFile);
  return config.ok() && config->contains("limpid_format");
}

absl::StatusOr<Checkpoint> ReadNative(const std::string& folder) {
  Checkpoint checkpoint;
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

  absl::Status status = ReadVocabularies(folder, checkpoint);
  if (status.ok()) status = ReadCutters(folder, checkpoint);
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

}  // namespace limpid

// Argos Translate's packages: a zip archive of one folder, ROOT, with ROOT/metadata.json, a
// CTranslate2 model in ROOT/model, and a tokenizer for both sides:
// ROOT/sentencepiece.model, or else ROOT/bpe.model, subword-nmt's merges, which go with Moses'
// tokenizer; or such a folder, as Argos Translate unpacks it.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "models/formats/ctranslate2.h"
#include "models/formats/formats.h"
#include "models/formats/tokenizer_files.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/zip.h"
#include "models/model/checkpoint.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

constexpr std::string_view kMetadata = "metadata.json";

bool IsFolder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

// Opens files of the archive's one folder by their names within it.
absl::StatusOr<ModelFiles> FilesOfPackage(const std::string& path) {
  if (IsFolder(path)) return FilesOfFolder(path);
  absl::StatusOr<std::unique_ptr<ZipReader>> opened = ZipReader::Open(path);
  if (!opened.ok()) return opened.status();
  const std::shared_ptr<ZipReader> zip = *std::move(opened);
  const auto is_metadata = [](const std::string& name) {
    return name.find('/') != std::string::npos && name.substr(name.find('/') + 1) == kMetadata;
  };
  const std::vector<std::string>& names = zip->names();
  const auto metadata = std::find_if(names.begin(), names.end(), is_metadata);
  if (metadata == names.end()) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": expected an archive of one folder with metadata.json in it"));
  }
  const std::string root = metadata->substr(0, metadata->size() - kMetadata.size());
  return ModelFiles{path, [zip, root](const std::string& name) -> absl::StatusOr<FileBytes> {
                      absl::StatusOr<std::vector<std::byte>> bytes = zip->Read(root + name);
                      if (!bytes.ok()) return bytes.status();
                      const auto owner =
                          std::make_shared<std::vector<std::byte>>(*std::move(bytes));
                      return FileBytes{*owner, owner};
                    }};
}

// The string under a key of metadata.json; empty if there is none.
std::string TextOf(const json& metadata, const char* key) {
  const auto value = metadata.find(key);
  return value != metadata.end() && value->is_string() ? value->get<std::string>() : "";
}

absl::Status CheckMetadata(const json& metadata) {
  if (const std::string type = TextOf(metadata, "type"); !type.empty() && type != "translate") {
    return absl::UnimplementedError(
        absl::StrCat("\"type\" is ", Quoted(type), "; expected \"translate\""));
  }
  if (const std::string prefix = TextOf(metadata, "target_prefix"); !prefix.empty()) {
    return absl::UnimplementedError(
        absl::StrCat("\"target_prefix\" is ", Quoted(prefix),
                     ": the model speaks several languages and is told which by the first token "
                     "of a translation, which Limpid cannot do"));
  }
  return absl::OkStatus();
}

absl::Status ReadMerges(const ModelFiles& files, Checkpoint& checkpoint) {
  absl::Status status = ReadTokenizerFile(files, "bpe.model", checkpoint.subword_merges,
                                          checkpoint.source_tokenizer_path);
  if (absl::IsNotFound(status)) {
    return absl::NotFoundError(
        absl::StrCat(files.place, ": has no sentencepiece.model and no bpe.model"));
  }
  checkpoint.target_tokenizer_path = checkpoint.source_tokenizer_path;
  return status;
}

}  // namespace

bool IsArgos(const std::string& path) {
  if (IsFolder(path)) return Exists(path + "/metadata.json") && Exists(path + "/model/model.bin");
  return path.ends_with(".argosmodel");
}

absl::StatusOr<Checkpoint> ReadArgos(const std::string& path) {
  const absl::StatusOr<ModelFiles> files = FilesOfPackage(path);
  if (!files.ok()) return files.status();
  const absl::StatusOr<FileBytes> file = files->open(std::string(kMetadata));
  if (!file.ok()) return file.status();
  const absl::StatusOr<json> metadata = ParseJsonObject(file->text());
  absl::Status status = metadata.status();
  if (status.ok()) status = CheckMetadata(*metadata);
  if (!status.ok()) return InContext(files->PathOf(std::string(kMetadata)), status);

  absl::StatusOr<Checkpoint> checkpoint =
      ReadCTranslate2Files({files->PathOf("model"),
                            [&](const std::string& name) { return files->open("model/" + name); }});
  if (!checkpoint.ok()) return checkpoint;
  status = ReadTokenizerFiles(*files, *checkpoint);
  if (status.ok() && checkpoint->source_sentencepiece.empty()) {
    status = ReadMerges(*files, *checkpoint);
  }
  if (!status.ok()) return status;
  checkpoint->format = absl::StrCat("Argos Translate package (", checkpoint->format, ")");
  checkpoint->config.source_language = TextOf(*metadata, "from_code");
  checkpoint->config.target_language = TextOf(*metadata, "to_code");
  return checkpoint;
}

}  // namespace limpid::internal

#include "models/native/checksum.h"

#include <zlib.h>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/native/safetensors.h"

namespace limpid::internal {
namespace {

constexpr char kKeyBegin[] = "crc32 ";
constexpr char kTensorsFile[] = "/model.safetensors";
constexpr char kChecksumsFile[] = "/checksums.json";

constexpr std::string_view kModelFiles[] = {"config.json",
                                            "model.safetensors",
                                            "vocabulary.json",
                                            "source_vocabulary.json",
                                            "target_vocabulary.json",
                                            "source.spm",
                                            "target.spm",
                                            "subword.bpe",
                                            "shortlist.bin"};

std::string Crc32(const void* data, size_t bytes) {
  return absl::StrFormat("%08x", crc32_z(0, static_cast<const Bytef*>(data), bytes));
}

absl::Status WriteChecksums(const std::string& folder,
                            const std::map<std::string, std::string, std::less<>>& checksums) {
  return WriteFile(folder + kChecksumsFile, nlohmann::json(checksums).dump(2) + "\n");
}

absl::StatusOr<std::string> ChecksumOfFile(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  return Crc32((*file)->bytes().data(), (*file)->bytes().size());
}

// Verifies tensor by tensor, so that the error can name the damaged ones.
absl::Status VerifyTensors(const std::string& folder) {
  const std::string path = folder + kTensorsFile;
  const auto file = ReadSafetensors(path);
  if (!file.ok()) return file.status();

  std::vector<std::string> damaged;
  for (const auto& [key, checksum] : Checksums(file->tensors)) {
    const auto expected = file->metadata.find(key);
    if (expected == file->metadata.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": has no checksum for ", Quoted(key.substr(sizeof(kKeyBegin) - 1)),
                       "; `limpid convert` of this version writes them"));
    }
    if (expected->second != checksum) damaged.push_back(Quoted(key.substr(sizeof(kKeyBegin) - 1)));
  }
  if (damaged.empty()) return absl::OkStatus();
  constexpr size_t kMaxNamed = 8;
  const size_t named = std::min(damaged.size(), kMaxNamed);
  return absl::DataLossError(absl::StrCat(
      path, ": is damaged: ", damaged.size(),
      damaged.size() == 1 ? " tensor differs" : " tensors differ", " from the checksum: ",
      absl::StrJoin(damaged.begin(), damaged.begin() + static_cast<ptrdiff_t>(named), ", "),
      named < damaged.size() ? ", …" : "", "; get the model again"));
}

// Verifies all files as a whole.
absl::Status VerifyFiles(const std::string& folder, const FileChecksums& checksums) {
  for (const std::string_view name : kModelFiles) {
    const std::string path = absl::StrCat(folder, "/", std::string(name));
    const auto file = MappedFile::Open(path);
    if (!checksums.Has(name)) {
      if (absl::IsNotFound(file.status())) continue;
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": is not in checksums.json; was it added later?"));
    }
    if (absl::IsNotFound(file.status())) {
      return absl::DataLossError(absl::StrCat(path, ": is missing; get the model again"));
    }
    if (!file.ok()) return file.status();
    if (absl::Status status = checksums.Check(name, (*file)->bytes()); !status.ok()) return status;
  }
  return absl::OkStatus();
}

}  // namespace

std::map<std::string, std::string> Checksums(const TensorMap& tensors) {
  std::map<std::string, std::string> checksums;
  for (const auto& [name, tensor] : tensors) {
    checksums[kKeyBegin + name] = Crc32(tensor.data, tensor.bytes());
    if (tensor.dtype != DType::kInt8) continue;
    const auto rows = static_cast<size_t>(tensor.rows());
    checksums[kKeyBegin + name + ".scale"] = Crc32(tensor.scales, rows * sizeof(float));
    if (tensor.input_scale == 0) continue;
    checksums[kKeyBegin + name + ".input_scale"] = Crc32(&tensor.input_scale, sizeof(float));
  }
  return checksums;
}

absl::StatusOr<FileChecksums> FileChecksums::Read(const std::string& folder) {
  FileChecksums read;
  read.folder_ = folder;
  const std::string path = folder + kChecksumsFile;
  const absl::StatusOr<nlohmann::json> object = ReadJsonObject(path);
  if (absl::IsNotFound(object.status())) return read;
  if (!object.ok()) return object.status();
  for (const auto& [name, checksum] : object->items()) {
    const bool known =
        std::find(std::begin(kModelFiles), std::end(kModelFiles), name) != std::end(kModelFiles);
    if (!known || !checksum.is_string()) {
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": expected names of model files and their ", "checksums, found ",
                       Quoted(name), ": ", Shown(checksum)));
    }
    read.checksums_[name] = checksum.get<std::string>();
  }
  return read;
}

absl::Status FileChecksums::Check(std::string_view name, absl::Span<const std::byte> bytes) const {
  const auto expected = checksums_.find(name);
  if (expected == checksums_.end() || expected->second == Crc32(bytes.data(), bytes.size())) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrCat(folder_, "/", std::string(name),
                                          ": differs from its checksum in checksums.json: it is ",
                                          "damaged or of another model; get the model again"));
}

absl::Status WriteFileChecksums(const std::string& folder) {
  std::map<std::string, std::string, std::less<>> checksums;
  for (const std::string_view name : kModelFiles) {
    absl::StatusOr<std::string> checksum =
        ChecksumOfFile(absl::StrCat(folder, "/", std::string(name)));
    if (absl::IsNotFound(checksum.status())) continue;
    if (!checksum.ok()) return checksum.status();
    checksums[std::string(name)] = *std::move(checksum);
  }
  return WriteChecksums(folder, checksums);
}

absl::Status WriteFileChecksum(const std::string& folder, const std::string& name) {
  absl::StatusOr<FileChecksums> checksums = FileChecksums::Read(folder);
  if (!checksums.ok()) return checksums.status();
  if (checksums->empty()) return absl::OkStatus();
  absl::StatusOr<std::string> checksum = ChecksumOfFile(absl::StrCat(folder, "/", name));
  if (!checksum.ok()) return checksum.status();
  checksums->checksums_[name] = *std::move(checksum);
  return WriteChecksums(folder, checksums->checksums_);
}

absl::StatusOr<std::vector<std::string>> VerifyChecksums(const std::string& folder) {
  const absl::StatusOr<nlohmann::json> config = ReadJsonObject(folder + "/config.json");
  if (!config.ok()) return config.status();
  if (!config->contains("limpid_format")) {
    return absl::FailedPreconditionError(absl::StrCat(
        folder,
        ": is not a Limpid folder; other models have no checksums. `limpid convert` writes them"));
  }
  const absl::StatusOr<FileChecksums> checksums = FileChecksums::Read(folder);
  if (!checksums.ok()) return checksums.status();
  if (absl::Status status = VerifyTensors(folder); !status.ok()) return status;
  if (checksums->empty() && config->contains("tokenizer")) {
    return absl::FailedPreconditionError(
        absl::StrCat(folder, ": has no checksums.json; `limpid convert` writes it"));
  }
  if (checksums->empty()) return std::vector<std::string>{"model.safetensors"};
  if (absl::Status status = VerifyFiles(folder, *checksums); !status.ok()) return status;
  std::vector<std::string> names;
  for (const std::string_view name : kModelFiles) {
    if (checksums->Has(name)) names.emplace_back(name);
  }
  return names;
}

}  // namespace limpid::internal

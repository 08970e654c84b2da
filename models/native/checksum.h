// CRC-32 checksums of a Limpid folder: of each tensor, in the metadata of the safetensors file, so
// that errors name it, and of each file, in checksums.json. They detect accidents, not attacks.

#ifndef LIMPID_MODELS_NATIVE_CHECKSUM_H_
#define LIMPID_MODELS_NATIVE_CHECKSUM_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// Metadata for WriteSafetensors: "crc32 NAME" of each tensor in hexadecimal; of int8 tensors also
// "crc32 NAME.scale" and "crc32 NAME.input_scale".
std::map<std::string, std::string> Checksums(const TensorMap& tensors);

// The checksums of a folder's files, by name.
class FileChecksums {
 public:
  // Reads checksums.json. Empty if there is none, as in folders of older versions.
  static absl::StatusOr<FileChecksums> Read(const std::string& folder);

  bool empty() const { return checksums_.empty(); }
  bool Has(std::string_view name) const { return checksums_.find(name) != checksums_.end(); }

  // Fails with DataLoss, naming the file, if it has a checksum and `bytes` have another.
  absl::Status Check(std::string_view name, absl::Span<const std::byte> bytes) const;

 private:
  friend absl::Status WriteFileChecksum(const std::string& folder, const std::string& name);

  std::string folder_;
  std::map<std::string, std::string, std::less<>> checksums_;
};

// Writes checksums.json for all model files in the folder.
absl::Status WriteFileChecksums(const std::string& folder);

// Updates one file's checksum in checksums.json, if that exists.
absl::Status WriteFileChecksum(const std::string& folder, const std::string& name);

// Verifies all files of a Limpid folder and returns their names. Fails with DataLoss, naming the
// tensors or the file that differ or are missing, and with FailedPrecondition if a file has no
// checksum. In a folder of an older version, only the tensors have checksums.
absl::StatusOr<std::vector<std::string>> VerifyChecksums(const std::string& folder);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_NATIVE_CHECKSUM_H_

// Checksums of a Limpid folder: of each tensor, in the metadata of the safetensors file, so that
// damage is named; and of each file, in checksums.json. They guard against accidents; who means
// harm can change them as well.

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

// Metadata for WriteSafetensors: "crc32 NAME" of each tensor, in hexadecimal, "crc32 NAME.scale" of
// the scales of each that is int8, and so on.
std::map<std::string, std::string> Checksums(const TensorMap& tensors);

// The files of a Limpid folder that are read, without "checksums.json" itself.
absl::Span<const std::string_view> NamesOfModelFiles();

// Checksums of files by name, of a folder.
class FileChecksums {
 public:
  // Reads checksums.json; without one, as in folders of older versions, there are none.
  static absl::StatusOr<FileChecksums> Read(const std::string& folder);

  bool empty() const { return checksums_.empty(); }
  bool Has(std::string_view name) const { return checksums_.find(name) != checksums_.end(); }

  // Fails with DataLoss, naming the file, if `bytes` are not those that there is a checksum of.
  absl::Status Check(std::string_view name, absl::Span<const std::byte> bytes) const;

 private:
  friend absl::Status WriteFileChecksum(const std::string& folder, const std::string& name);

  std::string folder_;
  std::map<std::string, std::string, std::less<>> checksums_;
};

// Writes checksums.json of all files that the folder has.
absl::Status WriteFileChecksums(const std::string& folder);

// Enters one file into checksums.json, where there is one, and leaves the others as they are.
absl::Status WriteFileChecksum(const std::string& folder, const std::string& name);

// Compares all files of a Limpid folder with their checksums and returns the names of those that
// have one. Fails with DataLoss, naming the tensors or the file that differ or are missing, and
// with FailedPrecondition if something has no checksum. Of a folder of an older version, which has
// none of files, only "model.safetensors" is compared, by its tensors.
absl::StatusOr<std::vector<std::string>> VerifyChecksums(const std::string& folder);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_NATIVE_CHECKSUM_H_

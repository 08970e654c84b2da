#include "models/checksum.h"

#include <zlib.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "models/file.h"
#include "models/json.h"
#include "models/safetensors.h"

namespace limpid {
namespace {

constexpr char kKeyBegin[] = "crc32 ";
constexpr char kTensorsFile[] = "/model.safetensors";

std::string Crc32(const void* data, size_t bytes) {
  return absl::StrFormat("%08x", crc32_z(0, static_cast<const Bytef*>(data), bytes));
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

absl::Status VerifyChecksums(const std::string& folder) {
  const std::string path = folder + kTensorsFile;
  const auto file = ReadSafetensors(path);
  if (!file.ok()) return file.status();

  std::vector<std::string> damaged;
  for (const auto& [key, checksum] : Checksums(file->tensors)) {
    const auto expected = file->metadata.find(key);
    if (expected == file->metadata.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat(path, ": has no checksum of ", Quoted(key.substr(sizeof(kKeyBegin) - 1)),
                       "; `limpid convert` of this version writes them"));
    }
    if (expected->second != checksum) damaged.push_back(Quoted(key.substr(sizeof(kKeyBegin) - 1)));
  }
  if (damaged.empty()) return absl::OkStatus();
  constexpr size_t kMostNamed = 8;
  const size_t named = std::min(damaged.size(), kMostNamed);
  return absl::DataLossError(absl::StrCat(
      path, ": is damaged: ", damaged.size(),
      damaged.size() == 1 ? " tensor differs" : " tensors differ", " from the checksum: ",
      absl::StrJoin(damaged.begin(), damaged.begin() + static_cast<ptrdiff_t>(named), ", "),
      named < damaged.size() ? ", …" : "", "; get the model again"));
}

}  // namespace limpid

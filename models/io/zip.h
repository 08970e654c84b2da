// Zip archives, the containers of PyTorch's, NumPy's and Argos Translate's files. Uses libzip.

#ifndef LIMPID_MODELS_IO_ZIP_H_
#define LIMPID_MODELS_IO_ZIP_H_

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid::internal {

// An archive opened for reading. Errors name it and the entry.
class ZipReader {
 public:
  // Fails with NotFound if there is no file, and with InvalidArgument if it is not a zip archive or
  // has a name twice.
  static absl::StatusOr<std::unique_ptr<ZipReader>> Open(const std::string& path);
  virtual ~ZipReader() = default;

  // Names of all entries in archive order. Folders end with "/".
  virtual const std::vector<std::string>& names() const = 0;

  // Reads a whole entry and checks its CRC; aligned for any scalar. Fails with NotFound, and with
  // InvalidArgument if the entry is damaged or encrypted, or if all entries read so far exceed
  // kMaxExpansion times the archive's size: overlapping entries could otherwise exhaust memory.
  virtual absl::StatusOr<std::vector<std::byte>> Read(std::string_view name) = 0;

  static constexpr size_t kMaxExpansion = 100;
};

// A file to write into an archive. `data` is borrowed until WriteZip returns.
struct ZipEntry {
  std::string name;
  absl::Span<const std::byte> data;
};

// Writes an archive atomically, replacing an existing one.
struct ZipOptions {
  bool compress = false;  // slower
};
absl::Status WriteZip(const std::string& path, absl::Span<const ZipEntry> entries,
                      const ZipOptions& options = {});

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_ZIP_H_

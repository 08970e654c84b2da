// Zip archives, which PyTorch, NumPy and Argos Translate put their files in. By libzip.

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

// An archive opened for reading. Errors name it, and the entry that they are about.
class ZipReader {
 public:
  // Fails with NotFound if there is no file, and with InvalidArgument if it is no zip archive, or
  // if it has the same name twice.
  static absl::StatusOr<std::unique_ptr<ZipReader>> Open(const std::string& path);
  virtual ~ZipReader() = default;

  // The names of all entries, in the archive's order. Folders end with "/".
  virtual const std::vector<std::string>& names() const = 0;

  // The whole of an entry, checked against its CRC; aligned for any scalar. Fails with NotFound,
  // and with InvalidArgument if the entry is damaged or encrypted, or if what was read so far would
  // come to more than kMaxExpansion times the size of the archive: entries may lie over each
  // other, so that many of them fill the memory from a small file.
  virtual absl::StatusOr<std::vector<std::byte>> Read(std::string_view name) = 0;

  static constexpr size_t kMaxExpansion = 100;
};

// One file to be put into an archive; the views must stay valid until it is written.
struct ZipEntry {
  std::string name;
  absl::Span<const std::byte> data;
};

// Writes an archive, replacing one that is there; it appears whole or not at all. Entries are
// compressed if `compress`, which takes time.
struct ZipOptions {
  bool compress = false;
};
absl::Status WriteZip(const std::string& path, absl::Span<const ZipEntry> entries,
                      const ZipOptions& options = {});

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_ZIP_H_

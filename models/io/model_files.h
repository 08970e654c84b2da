// The files of a model in a folder or an archive.

#ifndef LIMPID_MODELS_IO_MODEL_FILES_H_
#define LIMPID_MODELS_IO_MODEL_FILES_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace limpid::internal {

// A whole file and the owner of its bytes.
struct FileBytes {
  absl::Span<const std::byte> bytes;
  std::shared_ptr<const void> owner;

  std::string_view text() const {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

// Reads a file by name. Errors name it; NotFound if there is none.
using FileOpener = std::function<absl::StatusOr<FileBytes>(const std::string& name)>;

// The files of one model.
struct ModelFiles {
  std::string place;  // path of the folder or archive, for messages
  FileOpener open;

  std::string PathOf(const std::string& name) const { return place + "/" + name; }
};

ModelFiles FilesOfFolder(const std::string& folder);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_MODEL_FILES_H_

#include "models/io/model_files.h"

#include "absl/strings/str_cat.h"
#include "models/io/file.h"

namespace limpid::internal {

ModelFiles FilesOfFolder(const std::string& folder) {
  return {folder, [folder](const std::string& name) -> absl::StatusOr<FileBytes> {
            const auto file = MappedFile::Open(absl::StrCat(folder, "/", name));
            if (!file.ok()) return file.status();
            return FileBytes{(*file)->bytes(), *file};
          }};
}

}  // namespace limpid::internal

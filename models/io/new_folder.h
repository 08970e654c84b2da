// Atomic creation of folders.

#ifndef LIMPID_MODELS_IO_NEW_FOLDER_H_
#define LIMPID_MODELS_IO_NEW_FOLDER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace limpid::internal {

// Calls `write` with the path of a temporary folder and renames that to `folder` on success. On
// failure nothing is left.
//
// If `folder` does not exist, its parents are created, and it appears in one step. If it is an
// empty folder (a mount point, the current folder, one whose parent is read-only), the temporary
// folder is inside it and the files move up one by one, config.json last, because a folder without
// it is not a model. Fails with AlreadyExists if `folder` is anything else.
absl::Status WriteNewFolder(const std::string& folder,
                            const std::function<absl::Status(const std::string&)>& write);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_NEW_FOLDER_H_

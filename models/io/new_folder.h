// Folders that appear whole or not at all.

#ifndef LIMPID_MODELS_IO_NEW_FOLDER_H_
#define LIMPID_MODELS_IO_NEW_FOLDER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace limpid::internal {

// Has `write` fill a folder under a temporary name (it gets the path), and gives it the name
// `folder` when it is whole. When anything fails, nothing stays.
//
// Where `folder` does not exist, it and its parents are made; the temporary folder is beside it, so
// that it appears in one step. Where it is an empty folder (the place of a mount, the current
// folder, one whose parent cannot be written), the temporary folder is in it, and the files move up
// one by one, config.json last: without that it is not a model. Fails with AlreadyExists if
// `folder` is anything else.
absl::Status WriteNewFolder(const std::string& folder,
                            const std::function<absl::Status(const std::string&)>& write);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_NEW_FOLDER_H_

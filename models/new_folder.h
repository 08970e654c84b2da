// Folders that appear whole or not at all.

#ifndef LIMPID_MODELS_NEW_FOLDER_H_
#define LIMPID_MODELS_NEW_FOLDER_H_

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace limpid {

// Makes a folder beside `folder`, has `write` fill it (it gets the path), and renames it to
// `folder`. When anything fails, nothing stays. Fails with AlreadyExists if `folder` is there and
// not empty.
absl::Status WriteNewFolder(const std::string& folder,
                            const std::function<absl::Status(const std::string&)>& write);

}  // namespace limpid

#endif  // LIMPID_MODELS_NEW_FOLDER_H_

// A note of what made an incomplete output, kept beside it, so that --resume continues with the
// same model and flags or fails.

#ifndef LIMPID_TOOLS_RESUME_H_
#define LIMPID_TOOLS_RESUME_H_

#include <string>

#include "absl/status/status.h"

namespace limpid::internal {

// Identifies a model: a checksum of the names, sizes and first megabytes of its files, where the
// native format has the checksums of all weights. Ignores model cards (.md).
std::string ModelFingerprint(const std::string& model);

// The file "OUTPUT.resume".
class ResumeNote {
 public:
  // No note: for outputs that cannot be resumed.
  ResumeNote() = default;
  // `flags`: the given flags that can change a translation.
  ResumeNote(const std::string& output, std::string model_fingerprint, std::string flags);

  // Compares with the note of an earlier run. Fails with FailedPrecondition if that used another
  // model or other flags. Succeeds if there is no note, as after an earlier version of Limpid.
  absl::Status Check() const;
  // Ignores errors: without a note, Check() succeeds.
  void Write() const;
  // Removes the note of a complete output.
  void Remove() const;

 private:
  std::string output_;
  std::string path_;  // empty: no note
  std::string model_;
  std::string flags_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_RESUME_H_

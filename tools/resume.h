// What made an output, kept in a file beside it for as long as the output is not whole, so that
// --resume goes on in the same way or not at all.

#ifndef LIMPID_TOOLS_RESUME_H_
#define LIMPID_TOOLS_RESUME_H_

#include <string>

#include "absl/status/status.h"

namespace limpid::internal {

// Tells models apart: a checksum of the names, the sizes and the first megabyte of a model's files,
// which is where ours have the checksums of all weights. Cards and pages (.md, .html) do not count.
std::string ModelFingerprint(const std::string& model);

// The file "OUTPUT.resume".
class ResumeNote {
 public:
  // No note: for outputs that cannot be resumed.
  ResumeNote() = default;
  // `flags`: those that can change a translation, as they were given.
  ResumeNote(const std::string& output, std::string model_fingerprint, std::string flags);

  // Compares with the note that an earlier run has left. Fails with FailedPrecondition where that
  // used another model or other flags. Where there is no note, as after an earlier version of
  // Limpid, anything goes.
  absl::Status Check() const;
  // Where it cannot be written there is none.
  void Write() const;
  // Once the output is whole.
  void Remove() const;

 private:
  std::string output_;
  std::string path_;  // empty: no note
  std::string model_;
  std::string flags_;
};

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_RESUME_H_

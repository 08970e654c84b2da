// Binds traces, alignments and what they consist of.

#ifndef LIMPID_TOOLS_PYTHON_TRACE_H_
#define LIMPID_TOOLS_PYTHON_TRACE_H_

#include <nanobind/nanobind.h>

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "limpid/alignment.h"
#include "limpid/translation.h"

namespace limpid::python {

// An alignment with what it aligns: words or pieces.
struct LabelledAlignment {
  std::vector<std::string> source;
  std::vector<std::string> target;
  Alignment alignment;
};

// Aligns a whole text with its translation, which must have traces. Fails with InvalidArgument if
// `level` is neither "word" nor "piece", and like AlignText.
absl::StatusOr<LabelledAlignment> Align(const Translation& translation, const std::string& level,
                                        const AlignmentOptions& options);

void BindTrace(nanobind::module_& module);

}  // namespace limpid::python

#endif  // LIMPID_TOOLS_PYTHON_TRACE_H_

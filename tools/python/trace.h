// Binds traces, alignments and what they consist of.

#ifndef LIMPID_TOOLS_PYTHON_TRACE_H_
#define LIMPID_TOOLS_PYTHON_TRACE_H_

#include <nanobind/nanobind.h>

#include <string>

#include "limpid/alignment.h"
#include "limpid/translation.h"
#include "tools/line_alignment.h"

namespace limpid::python {

// Aligns a whole text with its translation. Raises ValueError if `level` is neither "word" nor
// "piece", and RuntimeError if the translation lacks the traces.
internal::LineAlignment Align(const Translation& translation, const std::string& level,
                              const AlignmentOptions& options);

void BindTrace(nanobind::module_& module);

}  // namespace limpid::python

#endif  // LIMPID_TOOLS_PYTHON_TRACE_H_

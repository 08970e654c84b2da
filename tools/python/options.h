// The options of a call as Python gives them: a dict of keyword arguments.

#ifndef LIMPID_TOOLS_PYTHON_OPTIONS_H_
#define LIMPID_TOOLS_PYTHON_OPTIONS_H_

#include <nanobind/nanobind.h>

#include <optional>
#include <string>
#include <vector>

#include "limpid/alignment.h"
#include "limpid/translate_options.h"

namespace limpid::python {

// Options have the names of TranslateOptions, SearchOptions and TraceRequest, except `timeout`, in
// seconds, for the deadline. `trace` is a bool, a dict of TraceRequest's fields, or
// AlignmentOptions, for what these need. Raises TypeError for an unknown name or a value of another
// type; the library checks the values.
TranslateOptions ReadTranslateOptions(const nanobind::dict& options);

// Raises ValueError for an unknown row or measure.
AlignmentOptions ReadAlignmentOptions(int layer, std::vector<int> heads,
                                      const std::optional<std::string>& row,
                                      const std::string& measure);

}  // namespace limpid::python

#endif  // LIMPID_TOOLS_PYTHON_OPTIONS_H_

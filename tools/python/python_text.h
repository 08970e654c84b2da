// Text and errors between Python and the library.

#ifndef LIMPID_TOOLS_PYTHON_PYTHON_TEXT_H_
#define LIMPID_TOOLS_PYTHON_PYTHON_TEXT_H_

#include <nanobind/nanobind.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace limpid::python {

// The str as UTF-8. Raises TypeError, naming the argument `name`, if `object` is not a str, and
// UnicodeEncodeError (a ValueError) if it has lone surrogates.
std::string Utf8(nanobind::handle object, const char* name);

// The same for any iterable of str but a str, which is one text and not a list of characters.
std::vector<std::string> Utf8List(nanobind::handle object, const char* name);

// A Python str. Invalid UTF-8, as in a piece that is half a character, becomes U+FFFD.
nanobind::str Str(std::string_view utf8);

// The getter of a property that is the text `field`.
template <typename T>
auto TextGetter(std::string T::*field) {
  return [field](const T& self) { return Str(self.*field); };
}

// The Python exception of an error, with the library's words: ValueError, FileNotFoundError,
// MemoryError …
nanobind::object Exception(const absl::Status& status);
[[noreturn]] void Raise(const absl::Status& status);

inline void RaiseIfError(const absl::Status& status) {
  if (!status.ok()) Raise(status);
}

// Returns the value, or raises the error.
template <typename T>
T ValueOrRaise(absl::StatusOr<T> value) {
  RaiseIfError(value.status());
  return *std::move(value);
}

}  // namespace limpid::python

#endif  // LIMPID_TOOLS_PYTHON_PYTHON_TEXT_H_

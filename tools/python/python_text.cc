#include "tools/python/python_text.h"

namespace limpid::python {

namespace nb = nanobind;

std::string Utf8(nb::handle object, const char* name) {
  if (!PyUnicode_Check(object.ptr())) {
    PyErr_Format(PyExc_TypeError, "%s must be str, not %s%s", name, Py_TYPE(object.ptr())->tp_name,
                 PyBytes_Check(object.ptr()) ? "; decode it first" : "");
    throw nb::python_error();
  }
  Py_ssize_t size = 0;
  const char* utf8 = PyUnicode_AsUTF8AndSize(object.ptr(), &size);
  if (utf8 == nullptr) throw nb::python_error();
  return std::string(utf8, static_cast<size_t>(size));
}

std::vector<std::string> Utf8List(nb::handle object, const char* name) {
  if (PyUnicode_Check(object.ptr()) || PyBytes_Check(object.ptr())) {
    PyErr_Format(PyExc_TypeError, "%s must be a list of str, not %s", name,
                 Py_TYPE(object.ptr())->tp_name);
    throw nb::python_error();
  }
  std::vector<std::string> texts;
  for (const nb::handle text : nb::iter(object)) texts.push_back(Utf8(text, name));
  return texts;
}

nb::str Str(std::string_view utf8) {
  PyObject* text =
      PyUnicode_DecodeUTF8(utf8.data(), static_cast<Py_ssize_t>(utf8.size()), "replace");
  if (text == nullptr) throw nb::python_error();
  return nb::steal<nb::str>(text);
}

namespace {

nb::handle ExceptionType(absl::StatusCode code) {
  switch (code) {
    case absl::StatusCode::kInvalidArgument:
      return PyExc_ValueError;
    case absl::StatusCode::kNotFound:
      return PyExc_FileNotFoundError;
    case absl::StatusCode::kAlreadyExists:
      return PyExc_FileExistsError;
    case absl::StatusCode::kPermissionDenied:
      return PyExc_PermissionError;
    case absl::StatusCode::kDataLoss:
      return PyExc_OSError;
    case absl::StatusCode::kResourceExhausted:
      return PyExc_MemoryError;
    case absl::StatusCode::kDeadlineExceeded:
      return PyExc_TimeoutError;
    case absl::StatusCode::kUnimplemented:
      return PyExc_NotImplementedError;
    default:
      return PyExc_RuntimeError;
  }
}

}  // namespace

nb::object Exception(const absl::Status& status) {
  const auto message = status.message();
  return ExceptionType(status.code())(Str({message.data(), message.size()}));
}

void Raise(const absl::Status& status) {
  const nb::object exception = Exception(status);
  PyErr_SetObject(exception.type().ptr(), exception.ptr());
  throw nb::python_error();
}

}  // namespace limpid::python

#include "tools/python/options.h"

#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <chrono>
#include <cmath>
#include <map>
#include <string_view>
#include <type_traits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "tools/python/python_text.h"

namespace limpid::python {
namespace {

namespace nb = nanobind;

template <typename T>
constexpr const char* kExpected = nullptr;
template <>
constexpr const char* kExpected<bool> = "bool";
template <>
constexpr const char* kExpected<int> = "an int of 32 bits";
template <>
constexpr const char* kExpected<uint64_t> = "an int of 64 bits, not negative";
template <>
constexpr const char* kExpected<double> = "a number";
template <>
constexpr const char* kExpected<std::vector<int>> = "a list of int";

// Converts the value of an option; raises TypeError, naming it, if the value has another type.
template <typename T>
T Value(const char* name, nb::handle value) {
  if constexpr (std::is_same_v<T, std::string>) {
    return Utf8(value, name);
  } else if constexpr (std::is_same_v<T, std::vector<std::string>>) {
    return Utf8List(value, name);
  } else {
    T converted = {};
    if (nb::try_cast(value, converted)) return converted;
    PyErr_Format(PyExc_TypeError, "%s must be %s, not %R", name, kExpected<T>, value.ptr());
    throw nb::python_error();
  }
}

// Sets one option from a Python value.
template <typename Options>
using Setter = void (*)(const char* name, nb::handle value, Options* options);

// The setter of the field `field`.
template <typename Options, auto field>
void Set(const char* name, nb::handle value, Options* options) {
  using T = std::remove_reference_t<decltype(options->*field)>;
  options->*field = Value<T>(name, value);
}

template <auto field>
void SetSearch(const char* name, nb::handle value, TranslateOptions* options) {
  Set<SearchOptions, field>(name, value, &options->search);
}

template <typename Options>
using Setters = std::map<std::string_view, Setter<Options>>;

// Sets all options of a dict.
template <typename Options>
void SetAll(const nb::dict& dict, const Setters<Options>& setters, Options* options) {
  for (const auto [key, value] : dict) {
    const std::string name = Utf8(key, "the name of an option");
    const auto setter = setters.find(name);
    if (setter == setters.end()) {
      PyErr_Format(PyExc_TypeError, "unknown option '%s'", name.c_str());
      throw nb::python_error();
    }
    setter->second(name.c_str(), value, options);
  }
}

void SetKinds(const char* name, nb::handle value, TraceRequest* request) {
  for (const std::string& kind : Utf8List(value, name)) {
    const std::optional<AttentionKind> parsed = ParseAttentionKind(kind);
    if (!parsed.has_value()) {
      Raise(absl::InvalidArgumentError(
          absl::StrCat(name, " must be of encoder, decoder, cross, not '", kind, "'")));
    }
    request->kinds.push_back(*parsed);
  }
}

TraceRequest ReadTraceRequest(const nb::dict& options) {
  using R = TraceRequest;
  static const auto& setters = *new Setters<R>{
      {"kinds", SetKinds},
      {"layers", Set<R, &R::layers>},
      {"heads", Set<R, &R::heads>},
      {"scores", Set<R, &R::scores>},
      {"projections", Set<R, &R::projections>},
      {"context", Set<R, &R::context>},
      {"output", Set<R, &R::output>},
      {"head_output", Set<R, &R::head_output>},
      {"norms", Set<R, &R::norms>},
      {"occlusion", Set<R, &R::occlusion>},
      {"predictions", Set<R, &R::predictions>},
  };
  TraceRequest request;
  SetAll(options, setters, &request);
  return request;
}

void SetTrace(const char* name, nb::handle value, TranslateOptions* options) {
  if (nb::isinstance<AlignmentOptions>(value)) {
    options->trace = AlignmentRequest(nb::cast<AlignmentOptions>(value));
  } else if (nb::isinstance<nb::dict>(value)) {
    options->trace = ReadTraceRequest(nb::borrow<nb::dict>(value));
  } else if (Value<bool>(name, value)) {
    options->trace = TraceRequest();
  }
}

void SetTimeout(const char* name, nb::handle value, TranslateOptions* options) {
  using Clock = std::chrono::steady_clock;
  const auto seconds = std::chrono::duration<double>(Value<double>(name, value));
  if (!(seconds.count() >= 0)) {
    Raise(absl::InvalidArgumentError(absl::StrCat(name, " must be seconds, 0 or more")));
  }
  if (seconds > std::chrono::hours(24 * 365)) return;  // more than the clock can add
  options->deadline = Clock::now() + std::chrono::duration_cast<Clock::duration>(seconds);
}

}  // namespace

TranslateOptions ReadTranslateOptions(const nb::dict& options) {
  using O = TranslateOptions;
  using S = SearchOptions;
  static const auto& setters = *new Setters<O>{
      {"batch_size", Set<O, &O::batch_size>},
      {"batch_tokens", Set<O, &O::batch_tokens>},
      {"split_sentences", Set<O, &O::split_sentences>},
      {"replace_unknowns", Set<O, &O::replace_unknowns>},
      {"trace", SetTrace},
      {"timeout", SetTimeout},
      {"beam_size", SetSearch<&S::beam_size>},
      {"length_penalty", SetSearch<&S::length_penalty>},
      {"nbest", SetSearch<&S::nbest>},
      {"alternatives", SetSearch<&S::alternatives>},
      {"alternatives_at", SetSearch<&S::alternatives_at>},
      {"temperature", SetSearch<&S::temperature>},
      {"top_k", SetSearch<&S::top_k>},
      {"top_p", SetSearch<&S::top_p>},
      {"seed", SetSearch<&S::seed>},
      {"log_probabilities", SetSearch<&S::log_probabilities>},
      {"prefix", SetSearch<&S::prefix>},
      {"max_output_tokens", SetSearch<&S::max_output_tokens>},
      {"min_output_tokens", SetSearch<&S::min_output_tokens>},
      {"suppress", SetSearch<&S::suppress>},
      {"end_at", SetSearch<&S::end_at>},
      {"repetition_penalty", SetSearch<&S::repetition_penalty>},
      {"no_repeat_ngram_size", SetSearch<&S::no_repeat_ngram_size>},
  };
  TranslateOptions read;
  SetAll(options, setters, &read);
  return read;
}

AlignmentOptions ReadAlignmentOptions(int layer, std::vector<int> heads,
                                      const std::optional<std::string>& row,
                                      const std::string& measure) {
  static const auto& rows = *new std::map<std::string_view, AlignmentRow>{
      {"output", AlignmentRow::kOutput}, {"input", AlignmentRow::kInput}};
  static const auto& measures = *new std::map<std::string_view, AlignmentMeasure>{
      {"weight", AlignmentMeasure::kWeight},
      {"norm", AlignmentMeasure::kNorm},
      {"occlusion", AlignmentMeasure::kOcclusion}};
  AlignmentOptions options = {.layer = layer, .heads = std::move(heads)};
  if (row.has_value()) {
    const auto found = rows.find(*row);
    if (found == rows.end()) {
      Raise(absl::InvalidArgumentError(
          absl::StrCat("row must be output or input, not '", *row, "'")));
    }
    options.row = found->second;
  }
  const auto found = measures.find(measure);
  if (found == measures.end()) {
    Raise(absl::InvalidArgumentError(
        absl::StrCat("measure must be weight, norm or occlusion, not '", measure, "'")));
  }
  options.measure = found->second;
  return options;
}

}  // namespace limpid::python

// Reads Python pickles as torch.save writes them, without running code.
//
// A pickle is a program for a small stack machine, and Python's own reader calls whatever functions
// it names. This one knows the few that make tensors and dicts, by what they mean, and refuses any
// other by name. https://docs.python.org/3/library/pickletools.html tells the opcodes.

#ifndef LIMPID_MODELS_FORMATS_PICKLE_H_
#define LIMPID_MODELS_FORMATS_PICKLE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// One of PyTorch's classes of storages: "torch.FloatStorage".
struct PickledStorageType {
  std::string_view name;
  std::string_view dtype_name;
  size_t element_size = 0;     // bytes
  std::optional<DType> dtype;  // none: not one that weights can have
};

// Numbers that lie outside the pickle, under a key.
struct PickledStorage {
  std::string key;
  const PickledStorageType* type = nullptr;
  int64_t elements = 0;
};

// A part of a storage. Offset and strides count elements; nothing here is checked against the
// storage yet.
struct PickledTensor {
  PickledStorage storage;
  int64_t offset = 0;
  std::vector<int64_t> shape;
  std::vector<int64_t> strides;
};

// A function or class that the pickle refers to and that is known.
enum class PickledGlobal { kOrderedDict, kRebuildTensor, kRebuildParameter };

// Values refer to each other by their place in Pickle::values, so that no nesting, however deep or
// circular, makes anybody recurse.
using PickleId = uint32_t;
struct PickledTuple {
  std::vector<PickleId> items;
};
struct PickledList {
  std::vector<PickleId> items;
};
struct PickledDict {
  std::vector<std::pair<PickleId, PickleId>> items;  // in order of insertion; keys may repeat
};
struct PickledNone {};
using PickledValue = std::variant<PickledNone, bool, int64_t, double, std::string, PickledTuple,
                                  PickledList, PickledDict, PickledGlobal,
                                  const PickledStorageType*, PickledStorage, PickledTensor>;

struct Pickle {
  std::vector<PickledValue> values;
  PickleId root = 0;

  // Null if the value is of another type.
  template <typename T>
  const T* Get(PickleId id) const {
    return std::get_if<T>(&values[id]);
  }
};

// Reads the pickle that `bytes` begin with; others may follow it. Errors are InvalidArgument (the
// bytes make no sense) or Unimplemented (they mean something that is neither a tensor nor plain
// data, which is named), with the place.
absl::StatusOr<Pickle> ParsePickle(absl::Span<const std::byte> bytes);

// More values than this are refused; a checkpoint has about a dozen a tensor.
constexpr size_t kMaxPickledValues = 250'000;

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_PICKLE_H_

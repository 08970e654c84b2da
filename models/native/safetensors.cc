#include "models/native/safetensors.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/io/file.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

static_assert(std::endian::native == std::endian::little,
              "tensors are used without swapping bytes");

constexpr size_t kLengthBytes = sizeof(uint64_t);  // precedes the header
constexpr uint64_t kMaxHeaderBytes = 100'000'000;  // as in the format's own implementation
constexpr size_t kAlignment = 64;
constexpr char kMetadataKey[] = "__metadata__";
constexpr char kScaleSuffix[] = ".scale";
constexpr char kInputScaleSuffix[] = ".input_scale";

constexpr std::pair<DType, std::string_view> kDTypes[] = {{DType::kFloat32, "F32"},
                                                          {DType::kFloat16, "F16"},
                                                          {DType::kBFloat16, "BF16"},
                                                          {DType::kInt8, "I8"}};

absl::Status TensorError(const std::string& tensor, const std::string& message) {
  return absl::InvalidArgumentError(absl::StrCat("tensor ", Quoted(tensor), " ", message));
}

absl::Status DTypeFromJson(const json& value, DType& dtype) {
  for (const auto& [candidate, name] : kDTypes) {
    if (value != name) continue;
    dtype = candidate;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("has dtype ", Shown(value), "; expected F32, F16, BF16 or I8"));
}

// Reads the array of integers in [0, 2^63) under `key`.
absl::Status NumbersFromJson(const json& tensor, const char* key, std::vector<int64_t>& numbers) {
  const auto array = tensor.find(key);
  bool valid = array != tensor.end() && array->is_array();
  for (size_t i = 0; valid && i < array->size(); ++i) {
    const json& number = (*array)[i];
    valid = number.is_number_unsigned() && number.get<uint64_t>() <= INT64_MAX;
    if (valid) numbers.push_back(number.get<int64_t>());
  }
  if (valid) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("needs ", Quoted(key), ", an array of integers from 0 up"));
}

// Size of a tensor in bytes, or nothing on overflow.
std::optional<int64_t> CountBytes(DType dtype, const std::vector<int64_t>& shape) {
  auto bytes = static_cast<int64_t>(SizeOf(dtype));
  for (int64_t dimension : shape) {
    if (__builtin_mul_overflow(bytes, dimension, &bytes)) return std::nullopt;
  }
  return bytes;
}

// A tensor's entry in the header.
struct Entry {
  std::string name;
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  std::vector<int64_t> offsets;  // begin and end, relative to the end of the header
};

absl::StatusOr<Entry> EntryFromJson(const std::string& name, const json& tensor) {
  Entry entry{.name = name, .dtype = {}, .shape = {}, .offsets = {}};
  if (!tensor.is_object()) return TensorError(name, "is not described by an object");
  const auto dtype = tensor.find("dtype");
  if (dtype == tensor.end()) return TensorError(name, "lacks \"dtype\"");
  absl::Status status = DTypeFromJson(*dtype, entry.dtype);
  if (status.ok()) status = NumbersFromJson(tensor, "shape", entry.shape);
  if (status.ok()) status = NumbersFromJson(tensor, "data_offsets", entry.offsets);
  if (!status.ok()) return InContext(absl::StrCat("tensor ", Quoted(name)), status);

  if (entry.offsets.size() != 2 || entry.offsets[0] > entry.offsets[1]) {
    return TensorError(name, "needs \"data_offsets\" of a begin and an end not before it");
  }
  const std::optional<int64_t> bytes = CountBytes(entry.dtype, entry.shape);
  const int64_t found = entry.offsets[1] - entry.offsets[0];
  if (bytes != found) {
    return TensorError(name, absl::StrCat("of shape ", ShapeName(entry.shape), " and dtype ",
                                          std::string(DTypeName(entry.dtype)), " has ", found,
                                          " bytes of data; expected ",
                                          bytes ? absl::StrCat(*bytes) : "more than 2^63"));
  }
  return entry;
}

// Sorts the entries by offset and checks that they fill `data_size` bytes exactly.
absl::Status CheckLayout(std::vector<Entry>& entries, size_t data_size) {
  std::sort(entries.begin(), entries.end(),
            [](const Entry& a, const Entry& b) { return a.offsets < b.offsets; });
  int64_t end = 0;
  for (const Entry& entry : entries) {
    if (entry.offsets[0] != end) {
      return TensorError(entry.name, absl::StrCat("begins at ", entry.offsets[0],
                                                  " though the data before it ends at ", end));
    }
    end = entry.offsets[1];
  }
  if (static_cast<uint64_t>(end) != data_size) {
    return absl::InvalidArgumentError(absl::StrCat("the tensors take ", end,
                                                   " bytes, but the file has ", data_size,
                                                   " after its header; is it truncated?"));
  }
  return absl::OkStatus();
}

// Returns `data`, or a copy of it in `storage` if it is not aligned for `dtype`.
const std::byte* Aligned(absl::Span<const std::byte> data, DType dtype,
                         std::vector<std::shared_ptr<const void>>& storage) {
  if (reinterpret_cast<uintptr_t>(data.data()) % SizeOf(dtype) == 0) return data.data();
  auto copy = std::make_shared<std::vector<std::byte>>(data.begin(), data.end());
  storage.push_back(copy);
  return copy->data();
}

// Removes the tensor of `count` scales from `tensors` and returns its data; null if there is none.
absl::StatusOr<const float*> TakeScales(const std::string& name, int64_t count,
                                        TensorMap& tensors) {
  const auto found = tensors.find(name);
  if (found == tensors.end()) return nullptr;
  const TensorView& scales = found->second;
  const std::vector<int64_t> shape = {count};
  if (scales.dtype != DType::kFloat32 || scales.shape != shape) {
    return TensorError(
        name, absl::StrCat("has dtype ", std::string(DTypeName(scales.dtype)), " and shape ",
                           ShapeName(scales.shape), "; expected float32 and ", ShapeName(shape)));
  }
  const auto* values = reinterpret_cast<const float*>(scales.data);
  tensors.erase(found);
  return values;
}

// Attaches scales to their int8 tensors.
absl::Status AttachScales(TensorMap& tensors) {
  for (auto& [name, tensor] : tensors) {
    if (tensor.dtype != DType::kInt8) continue;
    // Erasing scales does not erase `tensor`, whose name is shorter.
    const std::string scale_name = absl::StrCat(name, kScaleSuffix);
    const auto scales = TakeScales(scale_name, tensor.rows(), tensors);
    if (!scales.ok()) return scales.status();
    if (*scales == nullptr) {
      return TensorError(name, absl::StrCat("is int8 and needs a tensor ", Quoted(scale_name)));
    }
    tensor.scales = *scales;
    const std::string input_scale_name = absl::StrCat(name, kInputScaleSuffix);
    const auto input_scale = TakeScales(input_scale_name, 1, tensors);
    if (!input_scale.ok()) return input_scale.status();
    if (*input_scale == nullptr) continue;
    tensor.input_scale = **input_scale;
    if (!IsInputScale(tensor.input_scale)) {
      return TensorError(input_scale_name,
                         absl::StrCat("holds ", tensor.input_scale, "; expected a number above 0"));
    }
  }
  return absl::OkStatus();
}

absl::Status MetadataFromJson(const json& object, std::map<std::string, std::string>& metadata) {
  bool valid = object.is_object();
  for (auto member = object.begin(); valid && member != object.end(); ++member) {
    valid = member->is_string();
    if (valid) metadata[member.key()] = member->get<std::string>();
  }
  if (valid) return absl::OkStatus();
  return absl::InvalidArgumentError("\"__metadata__\" is not an object of strings");
}

// Returns the JSON text of the header.
absl::StatusOr<std::string_view> HeaderText(absl::Span<const std::byte> bytes) {
  if (bytes.size() < kLengthBytes) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected a safetensors file, found ", bytes.size(), " bytes; even an empty one has more"));
  }
  uint64_t length = 0;
  std::memcpy(&length, bytes.data(), kLengthBytes);
  if (length > kMaxHeaderBytes || length > bytes.size() - kLengthBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("the first 8 bytes say that the header has ", length,
                     " bytes; a safetensors header has at ", "most ", kMaxHeaderBytes, ", and ",
                     bytes.size() - kLengthBytes,
                     " follow here: the file is truncated, or not a safetensors file"));
  }
  return std::string_view(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, length);
}

// The header's name of a dtype.
std::string_view HeaderName(DType dtype) {
  return std::find_if(std::begin(kDTypes), std::end(kDTypes),
                      [&](const auto& entry) { return entry.first == dtype; })
      ->second;
}

// First the tensors whose size is a multiple of kAlignment, so that each of them is aligned; then
// the others, widest elements first, so that each is aligned for its elements.
std::vector<std::pair<std::string, TensorView>> InFileOrder(const TensorMap& tensors) {
  std::vector<std::pair<std::string, TensorView>> ordered;
  for (const auto& [name, tensor] : tensors) {
    ordered.emplace_back(name, tensor);
    if (tensor.dtype != DType::kInt8) continue;
    ordered.emplace_back(absl::StrCat(name, kScaleSuffix),
                         TensorView{.dtype = DType::kFloat32,
                                    .shape = {tensor.rows()},
                                    .data = reinterpret_cast<const std::byte*>(tensor.scales)});
    if (tensor.input_scale == 0) continue;
    ordered.emplace_back(
        absl::StrCat(name, kInputScaleSuffix),
        TensorView{.dtype = DType::kFloat32,
                   .shape = {1},
                   .data = reinterpret_cast<const std::byte*>(&tensor.input_scale)});
  }
  const auto order = [](const TensorView& tensor) {
    return std::pair(tensor.bytes() % kAlignment != 0, -static_cast<int>(SizeOf(tensor.dtype)));
  };
  std::stable_sort(ordered.begin(), ordered.end(),
                   [&](const auto& a, const auto& b) { return order(a.second) < order(b.second); });
  return ordered;
}

}  // namespace

absl::StatusOr<SafetensorsFile> ParseSafetensors(absl::Span<const std::byte> bytes) {
  const absl::StatusOr<std::string_view> text = HeaderText(bytes);
  if (!text.ok()) return text.status();
  const absl::StatusOr<json> header = ParseJsonObject(*text);
  if (!header.ok()) return InContext("header", header.status());

  SafetensorsFile file;
  std::vector<Entry> entries;
  for (const auto& [name, value] : header->items()) {
    if (name == kMetadataKey) {
      absl::Status status = MetadataFromJson(value, file.metadata);
      if (!status.ok()) return status;
      continue;
    }
    absl::StatusOr<Entry> entry = EntryFromJson(name, value);
    if (!entry.ok()) return entry.status();
    entries.push_back(*std::move(entry));
  }
  const absl::Span<const std::byte> data = bytes.subspan(kLengthBytes + text->size());
  if (absl::Status status = CheckLayout(entries, data.size()); !status.ok()) return status;

  for (Entry& entry : entries) {
    const auto begin = static_cast<size_t>(entry.offsets[0]);
    const auto end = static_cast<size_t>(entry.offsets[1]);
    file.tensors[entry.name] = {
        .dtype = entry.dtype,
        .shape = std::move(entry.shape),
        .data = Aligned(data.subspan(begin, end - begin), entry.dtype, file.storage)};
  }
  if (absl::Status status = AttachScales(file.tensors); !status.ok()) return status;
  return file;
}

absl::StatusOr<SafetensorsFile> ReadSafetensors(const std::string& path) {
  const auto mapped = MappedFile::Open(path);
  if (!mapped.ok()) return mapped.status();
  absl::StatusOr<SafetensorsFile> file = ParseSafetensors((*mapped)->bytes());
  if (!file.ok()) return InContext(path, file.status());
  file->storage.push_back(*mapped);
  file->file = *mapped;
  return file;
}

absl::Status WriteSafetensors(const std::string& path, const TensorMap& tensors,
                              const std::map<std::string, std::string>& metadata) {
  nlohmann::ordered_json header = nlohmann::ordered_json::object();
  if (!metadata.empty()) header[kMetadataKey] = metadata;
  std::vector<absl::Span<const std::byte>> parts(1);  // the header
  size_t offset = 0;
  for (const auto& [name, tensor] : InFileOrder(tensors)) {
    const size_t end = offset + tensor.bytes();
    header[name] = {{"dtype", HeaderName(tensor.dtype)},
                    {"shape", tensor.shape},
                    {"data_offsets", {offset, end}}};
    parts.emplace_back(tensor.data, tensor.bytes());
    offset = end;
  }

  std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  text.append((kAlignment - (kLengthBytes + text.size()) % kAlignment) % kAlignment, ' ');
  const uint64_t length = text.size();
  text.insert(0, reinterpret_cast<const char*>(&length), kLengthBytes);
  parts[0] = {reinterpret_cast<const std::byte*>(text.data()), text.size()};
  return WriteFile(path, parts);
}

}  // namespace limpid::internal

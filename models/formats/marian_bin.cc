// Marian's .bin: headers of all tensors, their names, their shapes, then their data, so that it can
// be mapped. In Marian: src/common/binary.cpp.

#include <cmath>
#include <cstring>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/formats/marian_file.h"
#include "models/io/bytes.h"
#include "models/io/file.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

constexpr uint64_t kVersion = 1;
constexpr uint64_t kHeaderBytes = 4 * sizeof(uint64_t);
// Type codes.
constexpr uint64_t kInt8 = 0x101;
constexpr uint64_t kFloat32 = 0x404;
constexpr uint64_t kIntgemm8 = 0x10001;
constexpr uint64_t kIntgemm8OfBergamot = 0x4101;

struct Header {
  uint64_t name_size = 0;  // with a NUL at the end
  uint64_t type = 0;
  uint64_t dimensions = 0;
  uint64_t data_size = 0;
  std::string name = {};
  std::vector<int64_t> shape = {};
};

absl::StatusOr<std::vector<Header>> ReadHeaders(ByteReader& reader) {
  const auto version = reader.Read<uint64_t>("the version");
  if (!version.ok()) return version.status();
  if (*version != kVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected version ", kVersion, " of Marian's .bin, found ", *version));
  }
  const auto count = reader.Read<uint64_t>("the number of tensors");
  if (!count.ok()) return count.status();
  if (*count > reader.remaining() / kHeaderBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("is too small for the ", *count, " tensors that it says it has"));
  }
  std::vector<Header> headers(*count);
  for (Header& header : headers) {
    for (uint64_t* field :
         {&header.name_size, &header.type, &header.dimensions, &header.data_size}) {
      *field = *reader.Read<uint64_t>("a header");  // there is room for all: see above
    }
  }
  for (Header& header : headers) {
    auto name = reader.TakeText(header.name_size, "a name");
    if (!name.ok()) return name.status();
    if (name->empty() || name->find('\0') != name->size() - 1) {
      return absl::InvalidArgumentError(
          absl::StrCat("expected a name that ends with a NUL, found ", Quoted(*name)));
    }
    name->pop_back();
    header.name = *std::move(name);
  }
  for (Header& header : headers) {
    for (uint64_t i = 0; i < header.dimensions; ++i) {
      const auto size = reader.Read<int32_t>("a shape");
      if (!size.ok()) return size.status();
      header.shape.push_back(*size);
    }
  }
  const auto padding = reader.Read<uint64_t>("the size of the padding");
  if (!padding.ok()) return padding.status();
  const auto padded = reader.Take(*padding, "the padding");
  if (!padded.ok()) return padded.status();
  return headers;
}

// Inputs are multiplied by this to quantize them for int8 weights of the same name. In Marian:
// src/tensors/cpu/intgemm_interface.h.
constexpr char kInputMultiplier[] = "_QuantMultA";
// The name of the output weights if a shortlist selects their rows.
constexpr char kUnnamedProduct[] = "none";

absl::Status AddInputMultiplier(const std::string& name, absl::Span<const std::byte> data,
                                std::map<std::string, float>& multipliers) {
  ByteReader reader(data);
  const auto multiplier = reader.Read<float>("a number");
  if (!multiplier.ok()) return multiplier.status();
  if (!IsInputScale(1 / *multiplier)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a multiplier above 0, found ", *multiplier));
  }
  multipliers[name.substr(0, name.size() - std::strlen(kInputMultiplier))] = *multiplier;
  return absl::OkStatus();
}

void SetInputScales(const std::map<std::string, float>& multipliers, TensorMap& tensors) {
  for (auto& [name, tensor] : tensors) {
    if (tensor.dtype != DType::kInt8) continue;
    auto multiplier = multipliers.find(name);
    if (multiplier == multipliers.end() && (name == "Wemb" || name == "decoder_Wemb")) {
      multiplier = multipliers.find(kUnnamedProduct);
    }
    if (multiplier != multipliers.end()) tensor.input_scale = 1 / multiplier->second;
  }
}

// Int8 values, followed by one float32 multiplier for all: weight = value / multiplier.
absl::Status AddInt8(const Header& header, absl::Span<const std::byte> data, size_t elements,
                     MarianFile& file) {
  if (header.shape.size() != 2) {
    return absl::InvalidArgumentError(absl::StrCat(
        "expected an int8 tensor to be a matrix, found shape ", ShapeName(header.shape)));
  }
  if (header.name.ends_with("_Wt")) {
    return absl::UnimplementedError(
        "Limpid does not read int8 output weights that are not tied to an embedding");
  }
  ByteReader tail(data.subspan(elements));
  const auto multiplier = tail.Read<float>("the multiplier after the data");
  if (!multiplier.ok()) return multiplier.status();
  if (!std::isfinite(1 / *multiplier) || !(*multiplier > 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a multiplier above 0, found ", *multiplier));
  }
  TensorView tensor = {.dtype = DType::kInt8, .shape = header.shape, .data = data.data()};
  if (!header.name.ends_with("Wemb")) std::swap(tensor.shape[0], tensor.shape[1]);
  auto scales = std::make_shared<std::vector<float>>(tensor.rows(), 1 / *multiplier);
  tensor.scales = scales->data();
  file.storage.push_back(std::move(scales));
  return AddMarianTensor(header.name, std::move(tensor), file);
}

absl::Status AddTensor(const Header& header, ByteReader& reader, MarianFile& file,
                       std::map<std::string, float>& input_multipliers) {
  const auto data = reader.Take(header.data_size, "data");
  if (!data.ok()) return data.status();
  if (header.type == kFloat32 && header.name.ends_with(kInputMultiplier)) {
    return AddInputMultiplier(header.name, *data, input_multipliers);
  }
  const bool is_options = header.type == kInt8 && header.name == kMarianOptions;
  const bool is_int8 = header.type == kIntgemm8 || header.type == kIntgemm8OfBergamot;
  if (header.type != kFloat32 && !is_int8 && !is_options) {
    return absl::UnimplementedError(
        absl::StrCat("of Marian's types Limpid reads float32 (0x404) and intgemm8 (0x10001, and ",
                     "0x4101 in Bergamot's files), found 0x", absl::Hex(header.type)));
  }
  const DType dtype = header.type == kFloat32 ? DType::kFloat32 : DType::kInt8;
  const auto elements = CountElements(header.shape, SizeOf(dtype), data->size());
  if (!elements.ok()) return elements.status();
  if (is_int8) return AddInt8(header, *data, *elements, file);
  return AddMarianTensor(header.name, {.dtype = dtype, .shape = header.shape, .data = data->data()},
                         file);
}

absl::StatusOr<MarianFile> ParseMarianBin(absl::Span<const std::byte> bytes) {
  ByteReader reader(bytes);
  const absl::StatusOr<std::vector<Header>> headers = ReadHeaders(reader);
  if (!headers.ok()) return headers.status();
  MarianFile file;
  std::map<std::string, float> input_multipliers;
  for (const Header& header : *headers) {
    const absl::Status status = AddTensor(header, reader, file, input_multipliers);
    if (!status.ok()) return InContext(absl::StrCat("tensor ", Quoted(header.name)), status);
  }
  if (reader.remaining() != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("has ", reader.remaining(), " bytes after the last tensor"));
  }
  SetInputScales(input_multipliers, file.tensors);
  return file;
}

}  // namespace

absl::StatusOr<MarianFile> ReadMarianBin(const std::string& path) {
  const auto mapped = MappedFile::Open(path);
  if (!mapped.ok()) return mapped.status();
  absl::StatusOr<MarianFile> file = ParseMarianBin((*mapped)->bytes());
  if (!file.ok()) return InContext(path, file.status());
  file->storage.push_back(*mapped);
  return file;
}

bool IsMarianBin(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) return false;
  ByteReader reader((*file)->bytes());
  const absl::StatusOr<uint64_t> version = reader.Read<uint64_t>("the version");
  return version.ok() && *version == kVersion;
}

absl::Status AddMarianTensor(const std::string& name, TensorView tensor, MarianFile& file) {
  if (name == kMarianOptions) {
    file.options.assign(reinterpret_cast<const char*>(tensor.data), tensor.bytes());
    // Padded with NULs.
    file.options.erase(file.options.find_last_not_of('\0') + 1);
    return absl::OkStatus();
  }
  if (reinterpret_cast<uintptr_t>(tensor.data) % SizeOf(tensor.dtype) != 0) {
    const auto copy =
        std::make_shared<const std::vector<std::byte>>(tensor.data, tensor.data + tensor.bytes());
    tensor.data = copy->data();
    file.storage.push_back(copy);
  }
  if (file.tensors.emplace(name, std::move(tensor)).second) return absl::OkStatus();
  return absl::InvalidArgumentError("expected each name once, found it again");
}

absl::StatusOr<size_t> CountElements(const std::vector<int64_t>& shape, size_t element_bytes,
                                     size_t bytes) {
  const auto most = static_cast<int64_t>(bytes / element_bytes);
  int64_t elements = 1;
  for (const int64_t size : shape) {
    if (size < 1 || elements > most / size) {
      return absl::InvalidArgumentError(absl::StrCat("the shape ", ShapeName(shape),
                                                     " does not fit the ", bytes, " bytes found"));
    }
    elements *= size;
  }
  return static_cast<size_t>(elements);
}

}  // namespace limpid::internal

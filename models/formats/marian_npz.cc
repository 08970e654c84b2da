// Marian's .npz: NumPy's format, a zip archive of .npy files.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "models/formats/marian_file.h"
#include "models/io/bytes.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/zip.h"

namespace limpid::internal {
namespace {

constexpr std::string_view kSuffix = ".npy";
constexpr std::string_view kMagic = "\x93NUMPY";

struct NpyHeader {
  std::string dtype;  // "<f4"
  bool fortran_order = false;
  std::vector<int64_t> shape;
};

// Parses a header, a Python dictionary: {'descr': '<f4', 'fortran_order': False, 'shape': (3, 4), }
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  bool Parse(NpyHeader& header) {
    if (!Take("{")) return false;
    unsigned keys = 0;  // a bit each, so that each is there once
    for (bool more = true; more && !Peek("}"); more = Take(",")) {
      const unsigned key = ParseEntry(header);
      if (key == 0 || (keys & key) != 0) return false;
      keys |= key;
    }
    if (!Take("}")) return false;
    SkipSpace();
    return keys == 7 && rest_.empty();
  }

 private:
  unsigned ParseEntry(NpyHeader& header) {
    if (Take("'descr'")) return Take(":") && ParseString(header.dtype) ? 1 : 0;
    if (Take("'fortran_order'")) return Take(":") && ParseBool(header.fortran_order) ? 2 : 0;
    if (Take("'shape'")) return Take(":") && ParseShape(header.shape) ? 4 : 0;
    return 0;
  }

  bool ParseString(std::string& value) {
    if (!Take("'")) return false;
    const size_t end = rest_.find('\'');
    if (end == std::string_view::npos) return false;
    value = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }

  bool ParseBool(bool& value) {
    value = Take("True");
    return value || Take("False");
  }

  bool ParseShape(std::vector<int64_t>& shape) {
    if (!Take("(")) return false;
    for (bool more = true; more && !Peek(")"); more = Take(",")) {
      const size_t digits = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
      int64_t size = 0;
      if (!absl::SimpleAtoi(absl::string_view(rest_.data(), digits), &size)) return false;
      shape.push_back(size);
      rest_.remove_prefix(digits);
    }
    return Take(")");
  }

  void SkipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \n"), rest_.size())); }
  bool Peek(std::string_view token) {
    SkipSpace();
    return rest_.substr(0, token.size()) == token;
  }
  bool Take(std::string_view token) {
    const bool found = Peek(token);
    if (found) rest_.remove_prefix(token.size());
    return found;
  }

  std::string_view rest_;
};

absl::StatusOr<NpyHeader> ReadHeader(ByteReader& reader) {
  const auto magic = reader.TakeText(kMagic.size(), "the magic of a .npy file");
  if (!magic.ok()) return magic.status();
  if (*magic != kMagic) return absl::InvalidArgumentError("is not a .npy file");
  const auto major = reader.Read<uint8_t>("the version");
  const auto minor = reader.Read<uint8_t>("the version");
  if (!minor.ok()) return minor.status();
  if ((*major != 1 && *major != 2) || *minor != 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected version 1.0 or 2.0 of .npy, found ", *major, ".", *minor));
  }
  uint32_t size = 0;
  if (*major == 1) {
    const auto short_size = reader.Read<uint16_t>("the size of the header");
    if (!short_size.ok()) return short_size.status();
    size = *short_size;
  } else {
    const auto long_size = reader.Read<uint32_t>("the size of the header");
    if (!long_size.ok()) return long_size.status();
    size = *long_size;
  }
  const auto text = reader.TakeText(size, "the header");
  if (!text.ok()) return text.status();
  NpyHeader header;
  if (HeaderParser(*text).Parse(header)) return header;
  return absl::InvalidArgumentError(absl::StrCat(
      "expected a .npy header with 'descr', 'fortran_order' and 'shape', found ", Quoted(*text)));
}

absl::Status AddEntry(const std::string& name, std::vector<std::byte> entry, MarianFile& file) {
  const auto bytes = std::make_shared<const std::vector<std::byte>>(std::move(entry));
  ByteReader reader(*bytes);
  const absl::StatusOr<NpyHeader> header = ReadHeader(reader);
  if (!header.ok()) return header.status();
  TensorView tensor = {.dtype = DType::kFloat32, .shape = header->shape};
  if (name == kMarianOptions) {
    tensor.dtype = DType::kInt8;
    if (header->dtype != "|i1" && header->dtype != "<i1" && header->dtype != "|u1") {
      return absl::InvalidArgumentError(
          absl::StrCat("expected text as '|i1', found ", Quoted(header->dtype)));
    }
  } else if (header->dtype != "<f4") {
    return absl::InvalidArgumentError(absl::StrCat(
        "of .npz files Limpid reads float32 ('<f4') alone, found ", Quoted(header->dtype)));
  }
  if (header->fortran_order && header->shape.size() > 1) {
    return absl::InvalidArgumentError("expected row-major order, found Fortran's");
  }
  const auto elements = CountElements(tensor.shape, SizeOf(tensor.dtype), reader.remaining());
  if (!elements.ok()) return elements.status();
  if (*elements * SizeOf(tensor.dtype) != reader.remaining()) {
    return absl::InvalidArgumentError(absl::StrCat("the shape ", ShapeName(tensor.shape), " takes ",
                                                   *elements * SizeOf(tensor.dtype),
                                                   " bytes, found ", reader.remaining()));
  }
  tensor.data = bytes->data() + reader.position();
  file.storage.push_back(bytes);
  return AddMarianTensor(name, std::move(tensor), file);
}

}  // namespace

absl::StatusOr<MarianFile> ReadMarianNpz(const std::string& path) {
  const auto zip = ZipReader::Open(path);
  if (!zip.ok()) return zip.status();
  MarianFile file;
  for (const std::string& entry : (*zip)->names()) {
    std::string name = entry;
    if (name.size() > kSuffix.size() && name.ends_with(kSuffix)) {
      name.resize(name.size() - kSuffix.size());
    }
    auto bytes = (*zip)->Read(entry);
    if (!bytes.ok()) return bytes.status();
    const absl::Status status = AddEntry(name, *std::move(bytes), file);
    if (!status.ok()) return InContext(absl::StrCat(path, ": ", Quoted(entry)), status);
  }
  return file;
}

}  // namespace limpid::internal

// model.bin of a CTranslate2 model: its variables by name.
//
// A string is a u16 length that counts a final NUL, then the bytes. All numbers are little-endian.
//
//   u32 version; from version 2 on: string specification, u32 revision of it
//   u32 count, then each variable: string name, u8 rank, u32 dimensions …,
//       from version 4 on: u8 type, u32 bytes; before: u8 bytes an element, u32 elements;
//       the data, row-major
//   from version 3 on: u32 count, then each alias: string alias, string name of a variable

#ifndef LIMPID_MODELS_FORMATS_CTRANSLATE2_VARIABLES_H_
#define LIMPID_MODELS_FORMATS_CTRANSLATE2_VARIABLES_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "models/model/tensor.h"

namespace limpid::internal {

struct CTranslate2Scalar {
  double value = 0;
  bool is_flag = false;  // int8, as true and false are stored
};

// An alias is a copy of its variable.
struct CTranslate2Variables {
  uint32_t version = 0;
  std::string specification;  // "TransformerSpec" …
  uint32_t revision = 0;
  // Vectors are float32. Matrices keep their type, int8 with its scales, but int16 becomes float32.
  TensorMap tensors;
  std::map<std::string, CTranslate2Scalar, std::less<>> scalars;
  std::map<std::string, std::string, std::less<>> texts;
  std::vector<std::shared_ptr<const void>> storage;  // data that is not in the file

  // Remove a value and return it.
  std::optional<CTranslate2Scalar> TakeScalar(std::string_view name);
  std::string TakeText(std::string_view name, const char* otherwise);
};

// The tensors point into `bytes` where they can. Reads versions 1 to 6; variables of
// revision 1 get the names that they have had since. Errors are InvalidArgument,
// and Unimplemented for other versions; they name the variable, but not the file.
absl::StatusOr<CTranslate2Variables> ParseCTranslate2(absl::Span<const std::byte> bytes);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_CTRANSLATE2_VARIABLES_H_

#include "models/model/tensor.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/model/float16.h"

// Highway compiles this file once for each instruction set and picks one at run time.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/model/tensor.cc"
#include "hwy/foreach_target.h"
// Must come after foreach_target.h.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace limpid::internal {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Vectorized, because loading a model converts millions of numbers.
void ConvertFloat16(const hwy::float16_t* data, size_t count, float* out) {
  const hn::ScalableTag<float> d;
  const hn::Rebind<hwy::float16_t, decltype(d)> halves;
  const size_t lanes = hn::Lanes(d);
  size_t i = 0;
  for (; i + lanes <= count; i += lanes) {
    hn::StoreU(hn::PromoteTo(d, hn::LoadU(halves, data + i)), d, out + i);
  }
  for (; i < count; ++i) out[i] = Float16ToFloat32(data[i].bits);
}

}  // namespace HWY_NAMESPACE
}  // namespace limpid::internal
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace limpid::internal {
namespace {

HWY_EXPORT(ConvertFloat16);

void Convert(const std::byte* data, DType dtype, size_t count, float* out) {
  switch (dtype) {
    case DType::kFloat32:
      std::copy_n(reinterpret_cast<const float*>(data), count, out);
      return;
    case DType::kFloat16:
      HWY_DYNAMIC_DISPATCH(ConvertFloat16)
      (reinterpret_cast<const hwy::float16_t*>(data), count, out);
      return;
    case DType::kBFloat16:
      std::transform(reinterpret_cast<const uint16_t*>(data),
                     reinterpret_cast<const uint16_t*>(data) + count, out, BFloat16ToFloat32);
      return;
    case DType::kInt8:
      std::copy_n(reinterpret_cast<const int8_t*>(data), count, out);
      return;
  }
}

}  // namespace

size_t SizeOf(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return 4;
    case DType::kFloat16:
    case DType::kBFloat16:
      return 2;
    case DType::kInt8:
      return 1;
  }
  assert(false);
  return 0;
}

std::string_view DTypeName(DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return "float32";
    case DType::kFloat16:
      return "float16";
    case DType::kBFloat16:
      return "bfloat16";
    case DType::kInt8:
      return "int8";
  }
  assert(false);
  return "";
}

int64_t TensorView::elements() const {
  int64_t product = 1;
  for (int64_t dimension : shape) product *= dimension;
  return product;
}

bool IsInputScale(float scale) {
  return scale > 0 && std::isfinite(scale) && std::isfinite(1 / scale);
}

std::string ShapeName(const std::vector<int64_t>& shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

TensorView Rows(const TensorView& tensor, int64_t begin, int64_t count) {
  assert(begin >= 0 && count >= 0 && begin + count <= tensor.rows());
  TensorView part = tensor;
  part.shape[0] = count;
  part.data += static_cast<size_t>(begin * tensor.columns()) * SizeOf(tensor.dtype);
  if (part.scales != nullptr) part.scales += begin;
  return part;
}

bool Same(const TensorView& a, const TensorView& b) {
  if (a.dtype != b.dtype || a.shape != b.shape || a.input_scale != b.input_scale) return false;
  if (a.data != b.data && !std::equal(a.data, a.data + a.bytes(), b.data)) return false;
  return a.scales == b.scales || (a.scales != nullptr && b.scales != nullptr &&
                                  std::equal(a.scales, a.scales + a.rows(), b.scales));
}

bool Reshape(std::vector<int64_t> shape, TensorView& tensor) {
  TensorView other = tensor;
  other.shape = std::move(shape);
  assert(other.elements() == tensor.elements());
  if (tensor.scales != nullptr && other.rows() != tensor.rows()) return false;
  tensor = std::move(other);
  return true;
}

void ReadRow(const TensorView& tensor, int64_t row, float* out) {
  assert(row >= 0 && row < tensor.rows());
  const auto columns = static_cast<size_t>(tensor.columns());
  const auto begin = static_cast<size_t>(row) * columns * SizeOf(tensor.dtype);
  Convert(tensor.data + begin, tensor.dtype, columns, out);
  if (tensor.dtype != DType::kInt8) return;
  for (size_t i = 0; i < columns; ++i) out[i] *= tensor.scales[row];
}

std::vector<float> ReadAll(const TensorView& tensor) {
  std::vector<float> values(static_cast<size_t>(tensor.elements()));
  if (values.empty()) return values;
  if (tensor.dtype != DType::kInt8) {
    Convert(tensor.data, tensor.dtype, values.size(), values.data());
    return values;
  }
  for (int64_t row = 0; row < tensor.rows(); ++row) {
    ReadRow(tensor, row, values.data() + row * tensor.columns());
  }
  return values;
}

}  // namespace limpid::internal
#endif  // HWY_ONCE

#include "models/model/convert_tensor.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "models/model/float16.h"

namespace limpid::internal {
namespace {

struct Buffer {
  std::vector<std::byte> data;
  std::vector<float> scales;
};

bool Fits(float value, DType dtype) {
  switch (dtype) {
    case DType::kFloat32:
      return true;
    case DType::kFloat16:
      return std::isinf(value) || !std::isinf(Float16ToFloat32(Float32ToFloat16(value)));
    case DType::kBFloat16:
      return std::isinf(value) || !std::isinf(BFloat16ToFloat32(Float32ToBFloat16(value)));
    case DType::kInt8:
      return std::isfinite(value);
  }
  return false;
}

float Int8Scale(absl::Span<const float> row) {
  float largest = 0;
  for (float value : row) largest = std::max(largest, std::fabs(value));
  return largest / 127;
}

int8_t ToInt8(float value, float scale) {
  if (scale == 0) return 0;
  // The scale of a row of float32 subnormals has few digits, so that a quotient may exceed 127.
  return static_cast<int8_t>(std::clamp(std::nearbyint(value / scale), -127.0F, 127.0F));
}

template <typename Number>
std::byte* Append(std::byte* out, Number number) {
  std::memcpy(out, &number, sizeof(number));
  return out + sizeof(number);
}

// Writes a row at `out` and returns its end.
std::byte* WriteRow(absl::Span<const float> row, DType dtype, float scale, std::byte* out) {
  for (float value : row) {
    switch (dtype) {
      case DType::kFloat32:
        out = Append(out, value);
        break;
      case DType::kFloat16:
        out = Append(out, Float32ToFloat16(value));
        break;
      case DType::kBFloat16:
        out = Append(out, Float32ToBFloat16(value));
        break;
      case DType::kInt8:
        out = Append(out, ToInt8(value, scale));
        break;
    }
  }
  return out;
}

}  // namespace

absl::Status ConvertTensor(DType dtype, TensorView& tensor,
                           std::vector<std::shared_ptr<const void>>& storage) {
  if (tensor.dtype == dtype || tensor.elements() == 0) return absl::OkStatus();
  TensorView converted = tensor;
  converted.dtype = dtype;
  converted.scales = nullptr;
  converted.input_scale = 0;
  auto buffer = std::make_shared<Buffer>();
  buffer->data.resize(converted.bytes());
  std::byte* out = buffer->data.data();
  std::vector<float> row(static_cast<size_t>(tensor.columns()));
  for (int64_t i = 0; i < tensor.rows(); ++i) {
    ReadRow(tensor, i, row.data());
    const auto misfit =
        std::find_if(row.begin(), row.end(), [&](float value) { return !Fits(value, dtype); });
    if (misfit != row.end()) {
      return absl::InvalidArgumentError(absl::StrCat("row ", i, " holds ", *misfit, ", which ",
                                                     std::string(DTypeName(dtype)),
                                                     " cannot hold"));
    }
    float scale = 1;
    if (dtype == DType::kInt8) scale = buffer->scales.emplace_back(Int8Scale(row));
    out = WriteRow(row, dtype, scale, out);
  }
  converted.data = buffer->data.data();
  if (dtype == DType::kInt8) converted.scales = buffer->scales.data();
  tensor = std::move(converted);
  storage.push_back(std::move(buffer));
  return absl::OkStatus();
}

}  // namespace limpid::internal

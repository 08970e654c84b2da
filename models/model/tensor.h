// A view of a tensor in a checkpoint: shape, dtype, and bytes that the checkpoint owns.

#ifndef LIMPID_MODELS_MODEL_TENSOR_H_
#define LIMPID_MODELS_MODEL_TENSOR_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace limpid::internal {

enum class DType { kFloat32, kFloat16, kBFloat16, kInt8 };

size_t SizeOf(DType dtype);               // bytes per element
std::string_view DTypeName(DType dtype);  // "float32" …

// Row-major. Does not own `data`; see Checkpoint::storage.
struct TensorView {
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;  // aligned to SizeOf(dtype)
  // int8 only: one scale per row (first dimension); value = int8 * scale.
  const float* scales = nullptr;
  // int8 only: the scale of the int8 inputs that the matrix is multiplied with, if the model fixes
  // it; 0: each row of inputs has its own.
  float input_scale = 0;

  int64_t elements() const;
  int64_t rows() const { return shape.empty() ? 1 : shape[0]; }
  int64_t columns() const { return rows() == 0 ? 0 : elements() / rows(); }
  size_t bytes() const { return static_cast<size_t>(elements()) * SizeOf(dtype); }
};

// Sorted by name, so that files and tables are the same on every run.
using TensorMap = std::map<std::string, TensorView, std::less<>>;

// Whether `scale` can be TensorView::input_scale: above 0, and it and its inverse finite.
bool IsInputScale(float scale);

// "[256, 1024]", for messages and tables.
std::string ShapeName(const std::vector<int64_t>& shape);

// Returns a view of rows [begin, begin + count) of a matrix, or of elements of a vector, with their
// scales and the input scale.
TensorView Rows(const TensorView& tensor, int64_t begin, int64_t count);

// Whether two tensors have equal dtype, shape, data and scales.
bool Same(const TensorView& a, const TensorView& b);

// Changes the shape; the number of elements must stay. Returns false, leaving the tensor as it is,
// if the number of rows of an int8 tensor, which has one scale per row, would change.
bool Reshape(std::vector<int64_t> shape, TensorView& tensor);

// Writes row `row` of a tensor, converted to float32, to out[0 .. columns()).
void ReadRow(const TensorView& tensor, int64_t row, float* out);

// All elements, converted to float32.
std::vector<float> ReadAll(const TensorView& tensor);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_TENSOR_H_

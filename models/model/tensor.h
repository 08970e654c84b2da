// A tensor as it lies in a checkpoint: a name, a shape, a dtype, and somebody's bytes.

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

size_t SizeOf(DType dtype);               // bytes an element
std::string_view DTypeName(DType dtype);  // "float32" …

// Row-major. Does not own `data`; see Checkpoint::storage.
struct TensorView {
  DType dtype = DType::kFloat32;
  std::vector<int64_t> shape;
  const std::byte* data = nullptr;  // aligned to SizeOf(dtype)
  // int8 only: one float32 scale a row (the first dimension); value = int8 * scale.
  const float* scales = nullptr;
  // int8 only: what 1 stands for in the int8 inputs that it is multiplied with, where the model's
  // author has fixed that; 0: each row of inputs has its own.
  float input_scale = 0;

  int64_t elements() const;
  int64_t rows() const { return shape.empty() ? 1 : shape[0]; }
  int64_t columns() const { return rows() == 0 ? 0 : elements() / rows(); }
  size_t bytes() const { return static_cast<size_t>(elements()) * SizeOf(dtype); }
};

// Sorted by name, so that files and tables come out the same on every run.
using TensorMap = std::map<std::string, TensorView, std::less<>>;

// Whether it can be TensorView::input_scale: above 0, and neither it nor its inverse infinite.
bool IsInputScale(float scale);

// "[256, 1024]", for messages and tables.
std::string ShapeName(const std::vector<int64_t>& shape);

// Rows [begin, begin + count) of a matrix, or elements of a vector, with what belongs to them:
// their scales, and the scale of the inputs. They stay where they are.
TensorView Rows(const TensorView& tensor, int64_t begin, int64_t count);

// Whether two tensors stand for the same numbers in the same way: dtype, shape, data and scales.
bool Same(const TensorView& a, const TensorView& b);

// Gives a tensor another shape of as many elements. An int8 tensor, which has a scale for each row,
// keeps its shape and returns false where the number of rows would change.
bool Reshape(std::vector<int64_t> shape, TensorView& tensor);

// Writes row `row` of a tensor, converted to float32, to out[0 .. columns()).
void ReadRow(const TensorView& tensor, int64_t row, float* out);

// All elements, converted to float32.
std::vector<float> ReadAll(const TensorView& tensor);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_MODEL_TENSOR_H_

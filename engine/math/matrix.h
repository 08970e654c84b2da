// Memory for activations: scratch that a worker keeps from batch to batch, so that a warm step
// allocates nothing.

#ifndef LIMPID_ENGINE_MATH_MATRIX_H_
#define LIMPID_ENGINE_MATH_MATRIX_H_

#include <cassert>
#include <cstddef>
#include <cstdlib>
#include <new>
#include <utility>

namespace limpid::internal {

// Uninitialized memory for trivial elements, aligned to a cache line.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), capacity_(std::exchange(other.capacity_, 0)) {}
  Buffer& operator=(Buffer&& other) noexcept {
    std::swap(data_, other.data_);
    std::swap(capacity_, other.capacity_);
    return *this;
  }
  ~Buffer() { std::free(data_); }

  // Makes room for `size` elements. Loses the contents if it has to grow. Throws std::bad_alloc.
  void Reserve(size_t size) {
    if (size <= capacity_) return;
    const size_t capacity = size + size / 4;  // batches tend to grow a little at a time
    const size_t bytes = (capacity * sizeof(T) + kAlignment - 1) / kAlignment * kAlignment;
    void* memory = std::aligned_alloc(kAlignment, bytes);
    if (memory == nullptr) throw std::bad_alloc();
    std::free(data_);
    data_ = static_cast<T*>(memory);
    capacity_ = capacity;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  T& operator[](size_t i) {
    assert(i < capacity_);
    return data_[i];
  }
  const T& operator[](size_t i) const {
    assert(i < capacity_);
    return data_[i];
  }

 private:
  static constexpr size_t kAlignment = 64;
  T* data_ = nullptr;
  size_t capacity_ = 0;
};

// GEMM kernels exist for certain row counts only (linear.cc); inputs and results have room for the
// next one.
constexpr int PaddedRows(int rows) { return rows == 1 ? 1 : (rows + 3) / 4 * 4; }

// A row-major float32 matrix, resized for each use, with room for PaddedRows(rows()).
class Matrix {
 public:
  // Loses the contents.
  void Resize(int rows, int columns) {
    rows_ = rows;
    columns_ = columns;
    buffer_.Reserve(static_cast<size_t>(PaddedRows(rows)) * columns);
  }

  // Keeps only the first `rows` rows.
  void Truncate(int rows) {
    assert(rows <= rows_);
    rows_ = rows;
  }

  int rows() const { return rows_; }
  int columns() const { return columns_; }
  float* row(int i) { return buffer_.data() + static_cast<size_t>(i) * columns_; }
  const float* row(int i) const { return buffer_.data() + static_cast<size_t>(i) * columns_; }

 private:
  int rows_ = 0;
  int columns_ = 0;
  Buffer<float> buffer_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_MATRIX_H_

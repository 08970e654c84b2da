// Where activations live: scratch memory that a worker keeps from batch to batch, so that a warm
// step allocates nothing.

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

  // Makes room for `size` elements; where that takes more memory, what the buffer held is lost.
  // Throws std::bad_alloc.
  void Reserve(size_t size) {
    if (size <= capacity_) return;
    const size_t capacity = size + size / 4;  // batches grow little by little
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

// Matrix products are made for some numbers of rows only (linear.cc), so that a product may read,
// and write, as many rows as this.
constexpr int PaddedRows(int rows) { return rows == 1 ? 1 : (rows + 3) / 4 * 4; }

// A row-major matrix of float32, resized for each use. Holds room for PaddedRows(rows()).
class Matrix {
 public:
  // What the matrix held is lost.
  void Resize(int rows, int columns) {
    rows_ = rows;
    columns_ = columns;
    buffer_.Reserve(static_cast<size_t>(PaddedRows(rows)) * columns);
  }

  // Keeps the first rows.
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

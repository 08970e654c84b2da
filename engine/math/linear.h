// y = x Wᵀ + b: every GEMM with weights, by oneDNN. Only linear.cc uses oneDNN.
//
// Weights are packed once, into the layout that oneDNN prefers. oneDNN JIT-compiles the kernel for
// a row count at its first use; Gemm then keeps it.

#ifndef LIMPID_ENGINE_MATH_LINEAR_H_
#define LIMPID_ENGINE_MATH_LINEAR_H_

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/types/span.h"
#include "engine/math/matrix.h"
#include "engine/math/ops.h"
#include "limpid/compute_type.h"
#include "models/model/config.h"
#include "models/model/weights.h"

namespace limpid::internal {

// While one exists, oneDNN uses the calling thread only: Limpid's threads translate batches in
// parallel, which beats splitting small GEMMs. Hold one during every call to the classes below.
class SingleThreadScope {
 public:
  SingleThreadScope();
  ~SingleThreadScope();
  SingleThreadScope(const SingleThreadScope&) = delete;
  SingleThreadScope& operator=(const SingleThreadScope&) = delete;

 private:
  [[maybe_unused]] int previous_;
};

// The zero point of inputs quantized for int8 weights: 128, the middle of 8 bits; or 64 on
// processors that sum two products in 16 bits, which hold 2 · 127 · 127.
int ZeroPoint();

// How weights are stored for products: in the layout that oneDNN prefers, and unless told otherwise
// each layer in one piece. speed/fast_packing.h does better.
struct Packing {
  Packing(ComputeType compute_type) : type(compute_type) {}  // NOLINT(google-explicit-constructor)

  ComputeType type;  // of weights and products; not kAuto
  // Layers with more outputs are multiplied panel by panel.
  int panel_width = std::numeric_limits<int>::max();
  // Allocates memory that lives as long as the model; null: oneDNN does.
  std::shared_ptr<std::byte> (*allocate)(size_t bytes) = nullptr;
};

struct PackedMatrix;  // weights in oneDNN's layout

// One worker's compiled GEMM kernels, and buffers for their inputs and results. Not thread-safe.
class Gemm {
 public:
  Gemm();
  ~Gemm();
  Gemm(Gemm&&) noexcept;
  Gemm& operator=(Gemm&&) noexcept;

  // Maximum rows per LoadInput.
  static constexpr int kMaxRows = 256;

  // Converts `rows` rows of x, from `begin` on, to inputs for weights with the type and input scale
  // of `weights`. Float32 inputs are not copied: x must outlive the calls to Multiply.
  void LoadInput(const Matrix& x, int begin, int rows, const PackedMatrix& weights);
  // Computes x Wᵀ for loaded rows begin … begin + rows - 1. The result [rows, out], float32 or (for
  // int8 weights) int32, is valid until the next call.
  const void* Multiply(int begin, int rows, const PackedMatrix& weights);
  // For int8: the scale of each loaded row, from row `begin` on.
  const float* input_scales(int begin) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A linear layer. Immutable, so that all workers share it. Every function may throw dnnl::error or
// std::bad_alloc; exceptions.h turns those into a Status.
class Linear {
 public:
  Linear() = default;
  // Packs layers that read the same input into one, their outputs side by side. Converts weights to
  // packing.type. For kInt8, weights stored in int8 are used unchanged, with their input scales, if
  // any. The `masked` outputs are minus infinity, whatever their weights and inputs are.
  static Linear Pack(absl::Span<const LinearWeights> layers, const Packing& packing,
                     absl::Span<const int> masked = {});
  // Packs only the given outputs of a layer, ascending, and masks those that are in `masked`; pads
  // with outputs of minus infinity to a multiple of 256, so that few GEMM sizes have to be
  // compiled. Does not use packing.allocate, because the result serves one batch only.
  static Linear PackOutputs(const LinearWeights& layer, absl::Span<const int> outputs,
                            Packing packing, absl::Span<const int> masked = {});

  int in() const { return in_; }
  int out() const { return out_; }

  // x [rows, in]; y [rows, out].
  void Apply(const Matrix& x, Matrix& y, Gemm& gemm) const;  // y = x Wᵀ + b
  // The same, but writes to the rows of y from first_row on, without resizing y.
  void ApplyAt(const Matrix& x, int first_row, Matrix& y, Gemm& gemm) const;
  void ApplyAndActivate(const Matrix& x, Activation activation, Matrix& y,
                        Gemm& gemm) const;                         // y = activation(x Wᵀ + b)
  void ApplyAndAdd(const Matrix& x, Matrix& y, Gemm& gemm) const;  // y = y + x Wᵀ + b

  // Finds the largest output of each row of x, without storing the others: best [rows].
  void ArgMax(const Matrix& x, LogSumExp log_sum_exp, std::vector<MaxLogit>& best,
              Gemm& gemm) const;

  // For int8: finds the outputs of each row of x at most margin(row, scale of its quantized input)
  // below the row's largest: candidates [rows].
  void FindCandidates(const Matrix& x, absl::FunctionRef<float(int row, float input_scale)> margin,
                      std::vector<PrefilterCandidates>& candidates, Gemm& gemm) const;
  // For int8: the largest scale of an output's weights.
  float LargestScale() const;

 private:
  // One row of a checkpoint's weights, or zeros in its place.
  struct Row {
    const TensorView* tensor = nullptr;
    int64_t index = 0;
    bool is_zero = false;
  };
  static absl::Span<const Row> FirstPanel(absl::Span<const Row> rows, const Packing& packing);
  static float InputScale(const Row& row, ComputeType type);
  void PackRows(absl::Span<const Row> rows, const Packing& packing);
  void ReadRows(absl::Span<const Row> rows, float* out) const;
  void QuantizeRows(absl::Span<const Row> rows, int8_t* out);
  std::shared_ptr<PackedMatrix> PackPanel(const void* values, int out,
                                          const Packing& packing) const;
  template <typename Finish>
  void ForEachProduct(const Matrix& x, Gemm& gemm, const Finish& finish) const;

  int in_ = 0;
  int out_ = 0;
  std::vector<std::shared_ptr<const PackedMatrix>> panels_;
  std::vector<float> bias_;  // [out]
  // For int8 only:
  std::vector<float> scales_;     // [out]: the scale of each output's weights
  std::vector<int32_t> offsets_;  // [out]: ZeroPoint() · the sum of each output's weights
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_LINEAR_H_

// y = x Wᵀ + b: every product with weights, by oneDNN. linear.cc is the only file that knows
// oneDNN.
//
// Weights are packed once, at load, into the layout that oneDNN likes best. A product for a number
// of rows is made (JIT-compiled) when it is first asked for and then kept.

#ifndef LIMPID_ENGINE_MATH_LINEAR_H_
#define LIMPID_ENGINE_MATH_LINEAR_H_

#include <cstdint>
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

// While one lives, oneDNN uses the calling thread only: Limpid's threads translate batches side by
// side, which beats splitting small products. Every call into this file happens under one.
class SingleThreadScope {
 public:
  SingleThreadScope();
  ~SingleThreadScope();
  SingleThreadScope(const SingleThreadScope&) = delete;
  SingleThreadScope& operator=(const SingleThreadScope&) = delete;

 private:
  [[maybe_unused]] int previous_;
};

// What stands for 0 in inputs that are quantized for int8 weights: 128, the middle of 8 bits, or 64
// where the processor adds two products in 16 bits. These hold 2 · 127 · 127.
int ZeroPoint();

struct PackedMatrix;  // weights as oneDNN wants them

// The compiled products of one worker, and room for their inputs and results. Not thread-safe.
class Gemm {
 public:
  Gemm();
  ~Gemm();
  Gemm(Gemm&&) noexcept;
  Gemm& operator=(Gemm&&) noexcept;

  // The most rows that are loaded at once, for all panels of a layer.
  static constexpr int kMaxRows = 256;

  // Makes `rows` rows of x, from `begin` on, ready to be multiplied with weights of the same type
  // and input scale as these.
  void LoadInput(const Matrix& x, int begin, int rows, const PackedMatrix& weights);
  // x Wᵀ for some of the rows loaded. The result [rows, out] is valid until the next call:
  // float32, or int32 for int8 weights.
  const void* Multiply(int begin, int rows, const PackedMatrix& weights);
  // For int8: what 1 stands for in each row of the quantized input, from row `begin` on.
  const float* input_scales(int begin) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// Immutable once made, and so shared by all workers. Every function may throw dnnl::error or
// std::bad_alloc; exceptions.h turns those into a Status.
class Linear {
 public:
  Linear() = default;
  // Several layers that read the same input become one, their outputs side by side. Weights are
  // converted to `type` (not kAuto); int8 weights are used as they are in int8, and so are the
  // scales of their inputs where they come with any.
  static Linear Pack(absl::Span<const LinearWeights> layers, ComputeType type);
  // The given outputs of a layer alone, in that order. Behind them follow some that are minus
  // infinity, so that there are few sizes for which products have to be compiled.
  static Linear PackOutputs(const LinearWeights& layer, absl::Span<const int> outputs,
                            ComputeType type);

  int in() const { return in_; }
  int out() const { return out_; }

  // x [rows, in]; y [rows, out].
  void Apply(const Matrix& x, Matrix& y, Gemm& gemm) const;  // y = x Wᵀ + b
  // The same for the rows of y [more rows, out] from first_row on.
  void ApplyAt(const Matrix& x, int first_row, Matrix& y, Gemm& gemm) const;
  void ApplyAndActivate(const Matrix& x, Activation activation, Matrix& y,
                        Gemm& gemm) const;                         // y = activation(x Wᵀ + b)
  void ApplyAndAdd(const Matrix& x, Matrix& y, Gemm& gemm) const;  // y = y + x Wᵀ + b

  // The largest output of each row of x, without writing the others: best [rows].
  void ArgMax(const Matrix& x, LogSumExp log_sum_exp, std::vector<MaxLogit>& best,
              Gemm& gemm) const;

  // For int8: the outputs of each row of x that are no more than margin(row, what 1 stands for in
  // its rounded input) below its largest: candidates [rows].
  void FindCandidates(const Matrix& x, absl::FunctionRef<float(int row, float input_scale)> margin,
                      std::vector<PrefilterCandidates>& candidates, Gemm& gemm) const;
  // For int8: the largest of what 1 stands for in the weights of an output.
  float LargestScale() const;

  // The same layer with minus infinity as the given outputs. It shares the packed weights.
  Linear Masked(absl::Span<const int> outputs) const;

 private:
  // Wide layers are multiplied panel by panel, so that a panel's weights and its result for some
  // rows are in the processor's cache together.
  static constexpr int kMaxColumns = 2048;

  // A row of a checkpoint's weights; without a tensor, zeros.
  struct Row {
    const TensorView* tensor = nullptr;
    int64_t index = 0;
  };
  enum class Lifetime { kOfTheModel, kShort };  // short: a batch's
  static absl::Span<const Row> FirstPanel(absl::Span<const Row> rows, ComputeType type);
  static float InputScale(const Row& row, ComputeType type);
  void PackRows(absl::Span<const Row> rows, ComputeType type, Lifetime lifetime);
  void ReadRows(absl::Span<const Row> rows, float* out) const;
  void QuantizeRows(absl::Span<const Row> rows, int8_t* out);
  std::shared_ptr<PackedMatrix> PackPanel(const void* values, int out, ComputeType type,
                                          Lifetime lifetime) const;
  template <typename Finish>
  void ForEachProduct(const Matrix& x, Gemm& gemm, const Finish& finish) const;

  int in_ = 0;
  int out_ = 0;
  std::vector<std::shared_ptr<const PackedMatrix>> panels_;
  std::vector<float> bias_;  // [out]
  // [out], for int8 only: what 1 in a weight stands for, and what an input's zero adds to each
  // output.
  std::vector<float> scales_;
  std::vector<int32_t> offsets_;
};

}  // namespace limpid::internal

#endif  // LIMPID_ENGINE_MATH_LINEAR_H_

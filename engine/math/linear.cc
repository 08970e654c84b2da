#include "engine/math/linear.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <mutex>
#include <new>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "absl/hash/hash.h"
#include "engine/math/quantize.h"
#include "oneapi/dnnl/dnnl.hpp"

#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
// Part of OpenMP's interface. Declared here because clang's omp.h would link a second OpenMP
// library, whose settings oneDNN would not see.
extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int threads);
}
#endif

namespace limpid::internal {
namespace {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

using DnnlType = dnnl::memory::data_type;
using DnnlTag = dnnl::memory::format_tag;

const dnnl::engine& Cpu() {
  static const dnnl::engine& engine = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

// Whether this is an x86 processor with these instructions. An ISA's bits include those of the ISAs
// that it extends. (On other architectures the same bits mean other ISAs.)
bool Has([[maybe_unused]] dnnl::cpu_isa isa) {
#if defined(__x86_64__)
  const auto bits = static_cast<unsigned>(isa);
  return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
#else
  return false;
#endif
}

// Whether the processor sums four 8-bit products directly in 32 bits (VNNI). Others first sum two
// in 16 bits, with saturation.
bool HasInt8DotProducts() {
  // Cached because oneDNN is slow to answer and every row of the weights asks.
  static const bool has = Has(dnnl::cpu_isa::avx512_core_vnni) || Has(dnnl::cpu_isa::avx2_vnni);
  return has;
}

// oneDNN's matmul has kernels for packed weights only with AVX-512 (for int8, with VNNI); elsewhere
// it repacks them in each call. A 1 x 1 convolution over an image of 1 x rows pixels with `in`
// channels computes the same, and is fast on all processors.
bool UsesMatmul(ComputeType type) {
  return Has(type == ComputeType::kInt8 ? dnnl::cpu_isa::avx512_core_vnni
                                        : dnnl::cpu_isa::avx512_core);
}

DnnlType InputType(ComputeType type) {
  switch (type) {
    case ComputeType::kBFloat16:
      return DnnlType::bf16;
    case ComputeType::kInt8:
      return DnnlType::u8;
    default:
      return DnnlType::f32;
  }
}

size_t SizeOf(ComputeType type) {
  return type == ComputeType::kInt8 ? 1 : type == ComputeType::kBFloat16 ? 2 : 4;
}

DnnlType WeightType(ComputeType type) {
  return type == ComputeType::kInt8 ? DnnlType::s8 : InputType(type);
}

// Weights [out, in], row-major or (`packed`) in a layout of oneDNN's choice.
dnnl::memory::desc DescribeWeights(int in, int out, DnnlType stored_as, ComputeType type,
                                   bool packed) {
  if (UsesMatmul(type)) return {{in, out}, stored_as, packed ? DnnlTag::any : DnnlTag::ba};
  return {{out, in, 1, 1}, stored_as, packed ? DnnlTag::any : DnnlTag::oihw};
}

// Hold this lock to have oneDNN compile a kernel. oneDNN shares kernels among threads, so workers
// that need the same one wait for a single compilation.
//
// oneDNN does not check that it got memory for its code. So first check that we can map more than
// it needs (32 MB) plus what two other threads may take meanwhile: in glibc, a thread's first
// allocation maps 128 MB and keeps 64 MB. Throws std::bad_alloc.
std::unique_lock<std::mutex> LockToCompile() {
  static std::mutex& compiling = *new std::mutex;
  std::unique_lock<std::mutex> lock(compiling);
  constexpr size_t kHeadroom = (32 + 2 * 128) << 20;
  void* memory =
      mmap(nullptr, kHeadroom, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  munmap(memory, kHeadroom);
  return lock;
}

// The GEMM y [rows, out] = x [rows, in] Wᵀ, with W in `layout`.
dnnl::primitive_desc DescribeProduct(int rows, int in, int out, const dnnl::memory::desc& layout,
                                     ComputeType type) {
  const DnnlType result = type == ComputeType::kInt8 ? DnnlType::s32 : DnnlType::f32;
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  if (UsesMatmul(type)) {
    const dnnl::memory::desc x({rows, in}, InputType(type), DnnlTag::ab);
    const dnnl::memory::desc y({rows, out}, result, DnnlTag::ab);
#if DNNL_VERSION_MAJOR >= 3
    return dnnl::matmul::primitive_desc(Cpu(), x, layout, y, attributes);
#else
    return dnnl::matmul::primitive_desc({x, layout, y}, attributes, Cpu());
#endif
  }
  const dnnl::memory::desc x({1, in, 1, rows}, InputType(type), DnnlTag::nhwc);
  const dnnl::memory::desc y({1, out, 1, rows}, result, DnnlTag::nhwc);
  const dnnl::memory::dims strides = {1, 1};
  const dnnl::memory::dims padding = {0, 0};
  constexpr auto kInference = dnnl::prop_kind::forward_inference;
  constexpr auto kDirect = dnnl::algorithm::convolution_direct;
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::convolution_forward::primitive_desc(Cpu(), kInference, kDirect, x, layout, y,
                                                   strides, padding, padding, attributes);
#else
  return dnnl::convolution_forward::primitive_desc(
      {kInference, kDirect, x, layout, y, strides, padding, padding}, attributes, Cpu());
#endif
}

void Reorder(const void* values, const dnnl::memory::desc& from, dnnl::memory& to) {
  dnnl::memory plain(from, Cpu(), const_cast<void*>(values));
  dnnl::stream stream(Cpu());
  dnnl::reorder reorder;
  {
    const std::unique_lock<std::mutex> lock = LockToCompile();
    reorder = dnnl::reorder(plain, to);
  }
  reorder.execute(stream, plain, to);
  stream.wait();
}

// The number of rows to multiply next when `rows` are left. Kernels exist for 64, 32, 16, and
// padded counts below 16 (matrix.h); any other count is split into these.
constexpr int kMaxRowsAtOnce = 64;
int RowsAtOnce(int rows) {
  for (const int at_once : {kMaxRowsAtOnce, 32, 16}) {
    if (rows >= at_once) return at_once;
  }
  return rows;
}

// Pads bfloat16 to at least four rows: oneDNN does not use AMX for results of up to 256 numbers
// (rows · out), and sums in another order without it, so that a row would depend on its neighbours.
// (In layers of up to 64 outputs it still does, in the last digit.)
int PaddedRowsOf(ComputeType type, int rows) {
  return PaddedRows(type == ComputeType::kBFloat16 ? std::max(rows, 2) : rows);
}

}  // namespace

#if DNNL_CPU_RUNTIME == DNNL_RUNTIME_OMP
SingleThreadScope::SingleThreadScope() : previous_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}
SingleThreadScope::~SingleThreadScope() { omp_set_num_threads(previous_); }
#else
// A sequential oneDNN has no other threads; one built for a thread pool gets none from us.
SingleThreadScope::SingleThreadScope() : previous_(1) {}
SingleThreadScope::~SingleThreadScope() = default;
#endif

int ZeroPoint() { return HasInt8DotProducts() ? 128 : 64; }

struct PackedMatrix {
  std::shared_ptr<std::byte> storage;  // what `memory` points to; null: `memory` owns its bytes
  dnnl::memory memory;                 // [out, in] in a layout of oneDNN's choice
  int in = 0;
  int out = 0;
  ComputeType type = ComputeType::kFloat32;
  float input_scale = 0;  // for int8: the scale of all inputs; 0: each row has its own
};

struct Gemm::State {
  struct Product {
    dnnl::primitive primitive;
    dnnl::memory x, y, scratchpad;
  };
  // Weights of the same size and type have the same layout, so they share a kernel.
  using Key = std::array<int, 4>;  // rows, in, out, type

  Product& FindOrCompile(int rows, const PackedMatrix& weights) {
    const Key key = {rows, weights.in, weights.out, static_cast<int>(weights.type)};
    const auto it = products.find(key);
    if (it != products.end()) return it->second;
    const std::unique_lock<std::mutex> lock = LockToCompile();
    const dnnl::primitive_desc description =
        DescribeProduct(rows, weights.in, weights.out, weights.memory.get_desc(), weights.type);
    scratchpad.Reserve(description.scratchpad_desc().get_size());
    Product product = {
        dnnl::primitive(description),
        dnnl::memory(description.query_md(dnnl::query::src_md), Cpu(), nullptr),
        dnnl::memory(description.query_md(dnnl::query::dst_md), Cpu(), nullptr),
        dnnl::memory(description.query_md(dnnl::query::scratchpad_md), Cpu(), nullptr)};
    return products.emplace(key, std::move(product)).first->second;
  }

  // Converts rows of x to the input type of `weights`; returns [rows, in].
  const void* Convert(const Matrix& x, int begin, int rows, const PackedMatrix& weights) {
    if (weights.type == ComputeType::kFloat32) return x.row(begin);
    const int in = x.columns();
    const size_t size = static_cast<size_t>(PaddedRowsOf(weights.type, rows)) * in;
    if (weights.type == ComputeType::kBFloat16) {
      bfloat16.Reserve(size);
      for (int i = 0; i < rows; ++i) {
        RoundToBFloat16(x.row(begin + i), in, bfloat16.data() + static_cast<size_t>(i) * in);
      }
      return bfloat16.data();
    }
    int8.Reserve(size);
    for (int i = 0; i < rows; ++i) {
      uint8_t* row = int8.data() + static_cast<size_t>(i) * in;
      if (weights.input_scale > 0) {
        QuantizeBy(weights.input_scale, x.row(begin + i), in, zero_point, row);
        input_scales[i] = weights.input_scale;
      } else {
        input_scales[i] = Quantize(x.row(begin + i), in, zero_point, row);
      }
    }
    return int8.data();
  }

  // Not an Abseil map: after a std::bad_alloc, those are unsafe even to destroy.
  std::unordered_map<Key, Product, absl::Hash<Key>> products;
  dnnl::stream stream{Cpu()};
  const int zero_point = ZeroPoint();
  const std::byte* input = nullptr;  // [loaded rows, in]: float32 (not owned), bfloat16 or int8
  Buffer<uint16_t> bfloat16;         // [loaded rows, in]
  Buffer<uint8_t> int8;              // [loaded rows, in]: quantized around zero_point
  std::array<float, kMaxRows> input_scales = {};
  Buffer<float> result;  // [rows, out], as float32 or int32
  Buffer<std::byte> scratchpad;
};

Gemm::Gemm() : state_(std::make_unique<State>()) {}
Gemm::~Gemm() = default;
Gemm::Gemm(Gemm&&) noexcept = default;
Gemm& Gemm::operator=(Gemm&&) noexcept = default;

const float* Gemm::input_scales(int begin) const { return &state_->input_scales[begin]; }

void Gemm::LoadInput(const Matrix& x, int begin, int rows, const PackedMatrix& weights) {
  assert(rows > 0 && rows <= kMaxRows);
  state_->input = static_cast<const std::byte*>(state_->Convert(x, begin, rows, weights));
}

const void* Gemm::Multiply(int begin, int rows, const PackedMatrix& weights) {
  State& state = *state_;
  const int padded_rows = PaddedRowsOf(weights.type, rows);
  State::Product& product = state.FindOrCompile(padded_rows, weights);
  state.result.Reserve(static_cast<size_t>(padded_rows) * weights.out);
  const std::byte* x = state.input + static_cast<size_t>(begin) * weights.in * SizeOf(weights.type);
  product.x.set_data_handle(const_cast<std::byte*>(x));
  product.y.set_data_handle(state.result.data());
  product.scratchpad.set_data_handle(state.scratchpad.data());
  // The C interface takes a plain array; the C++ one would build a map and a vector per call.
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, product.x.get()},
                                       {DNNL_ARG_WEIGHTS, weights.memory.get()},
                                       {DNNL_ARG_DST, product.y.get()},
                                       {DNNL_ARG_SCRATCHPAD, product.scratchpad.get()}};
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(product.primitive.get(), state.stream.get(), 4, arguments),
      "could not run a GEMM kernel");
  return state.result.data();
}

Linear Linear::Pack(absl::Span<const LinearWeights> layers, const Packing& packing,
                    absl::Span<const int> masked) {
  Linear linear;
  linear.in_ = static_cast<int>(layers[0].weight.columns());
  std::vector<Row> rows;
  for (const LinearWeights& layer : layers) {
    assert(layer.weight.columns() == linear.in_);
    for (int64_t i = 0; i < layer.weight.rows(); ++i) rows.push_back({&layer.weight, i});
    const std::vector<float> bias = ReadAll(layer.bias);
    linear.bias_.insert(linear.bias_.end(), bias.begin(), bias.end());
  }
  for (const int output : masked) {
    rows[output].is_zero = true;
    linear.bias_[output] = kMinusInfinity;
  }
  linear.PackRows(rows, packing);
  return linear;
}

Linear Linear::PackOutputs(const LinearWeights& layer, absl::Span<const int> outputs,
                           Packing packing, absl::Span<const int> masked) {
  constexpr size_t kGranularity = 256;
  const size_t out = (outputs.size() + kGranularity - 1) / kGranularity * kGranularity;
  Linear linear;
  linear.in_ = static_cast<int>(layer.weight.columns());
  const std::vector<float> bias = ReadAll(layer.bias);
  std::vector<Row> rows;
  for (const int output : outputs) {
    const bool is_masked = std::find(masked.begin(), masked.end(), output) != masked.end();
    rows.push_back({&layer.weight, output, is_masked});
    linear.bias_.push_back(is_masked ? kMinusInfinity : bias[output]);
  }
  rows.resize(out, {&layer.weight, 0, /*is_zero=*/true});
  linear.bias_.resize(out, kMinusInfinity);
  packing.allocate = nullptr;
  linear.PackRows(rows, packing);
  return linear;
}

// The longest prefix of `rows` that fits into one panel, which has one input scale.
absl::Span<const Linear::Row> Linear::FirstPanel(absl::Span<const Row> rows,
                                                 const Packing& packing) {
  const absl::Span<const Row> widest = rows.subspan(0, packing.panel_width);
  const float input_scale = InputScale(rows[0], packing.type);
  const auto* const end = std::find_if(widest.begin(), widest.end(), [&](const Row& row) {
    return InputScale(row, packing.type) != input_scale;
  });
  return widest.subspan(0, end - widest.begin());
}

// See PackedMatrix::input_scale. Stored scales are for 8-bit inputs; where inputs have 7 bits, one
// scale per row loses less.
float Linear::InputScale(const Row& row, ComputeType type) {
  const bool uses_stored = type == ComputeType::kInt8 && HasInt8DotProducts();
  return uses_stored ? row.tensor->input_scale : 0;
}

void Linear::PackRows(absl::Span<const Row> rows, const Packing& packing) {
  assert(packing.type != ComputeType::kAuto);
  out_ = static_cast<int>(rows.size());
  // A panel's rows [panel rows, in] before packing; only one of the two is used.
  Buffer<int8_t> integers;
  Buffer<float> floats;
  while (!rows.empty()) {
    const absl::Span<const Row> panel = FirstPanel(rows, packing);
    const void* values = nullptr;
    if (packing.type == ComputeType::kInt8) {
      integers.Reserve(panel.size() * in_);
      QuantizeRows(panel, integers.data());
      values = integers.data();
    } else {
      floats.Reserve(panel.size() * in_);
      ReadRows(panel, floats.data());
      values = floats.data();
    }
    auto packed = PackPanel(values, static_cast<int>(panel.size()), packing);
    packed->input_scale = InputScale(panel[0], packing.type);
    panels_.push_back(std::move(packed));
    rows.remove_prefix(panel.size());
  }
}

void Linear::ReadRows(absl::Span<const Row> rows, float* out) const {
  for (const Row& row : rows) {
    if (row.is_zero) {
      std::fill_n(out, in_, 0.0F);
    } else {
      ReadRow(*row.tensor, row.index, out);
    }
    out += in_;
  }
}

// Also appends the rows' scales_ and offsets_.
void Linear::QuantizeRows(absl::Span<const Row> rows, int8_t* out) {
  std::vector<float> scratch;
  for (const Row& row : rows) {
    if (row.is_zero) {
      std::fill_n(out, in_, int8_t{0});
      scales_.push_back(0);
    } else {
      scales_.push_back(QuantizeRow(*row.tensor, row.index, scratch, out));
    }
    // For huge rows the sum wraps around, and so does the GEMM itself.
    const uint32_t sum = std::accumulate(out, out + in_, uint32_t{0});
    offsets_.push_back(static_cast<int32_t>(ZeroPoint() * sum));
    out += in_;
  }
}

// `values` [out, in] are int8 for kInt8, otherwise float32.
std::shared_ptr<PackedMatrix> Linear::PackPanel(const void* values, int out,
                                                const Packing& packing) const {
  const ComputeType type = packing.type;
  const DnnlType value_type = type == ComputeType::kInt8 ? DnnlType::s8 : DnnlType::f32;
  const dnnl::memory::desc plain = DescribeWeights(in_, out, value_type, type, /*packed=*/false);
  const dnnl::memory::desc any = DescribeWeights(in_, out, WeightType(type), type, /*packed=*/true);
  dnnl::memory::desc layout;
  {
    const std::unique_lock<std::mutex> lock = LockToCompile();
    layout = DescribeProduct(kMaxRowsAtOnce, in_, out, any, type).query_md(dnnl::query::weights_md);
  }
  auto panel = std::make_shared<PackedMatrix>();
  panel->in = in_;
  panel->out = out;
  panel->type = type;
  if (packing.allocate != nullptr) {
    panel->storage = packing.allocate(layout.get_size());
    panel->memory = dnnl::memory(layout, Cpu(), panel->storage.get());
  } else {
    panel->memory = dnnl::memory(layout, Cpu());
  }
  Reorder(values, plain, panel->memory);
  return panel;
}

// Calls finish(first row, first column, ProductRows) for each block of rows of each panel of x Wᵀ.
template <typename Finish>
void Linear::ForEachProduct(const Matrix& x, Gemm& gemm, const Finish& finish) const {
  assert(x.columns() == in_);
  for (int begin = 0; begin < x.rows(); begin += Gemm::kMaxRows) {
    const int end = std::min(begin + Gemm::kMaxRows, x.rows());
    int column = 0;
    const PackedMatrix* loaded_for = nullptr;
    for (const std::shared_ptr<const PackedMatrix>& panel : panels_) {
      if (loaded_for == nullptr || panel->input_scale != loaded_for->input_scale) {
        gemm.LoadInput(x, begin, end - begin, *panel);
        loaded_for = panel.get();
      }
      ProductRows product = {.columns = panel->out, .bias = &bias_[column]};
      if (!scales_.empty()) {
        product.scales = &scales_[column];
        product.offsets = &offsets_[column];
      }
      for (int row = begin; row < end; row += product.rows) {
        product.rows = RowsAtOnce(end - row);
        product.values = gemm.Multiply(row - begin, product.rows, *panel);
        product.input_scales = gemm.input_scales(row - begin);
        finish(row, column, product);
      }
      column += panel->out;
    }
  }
}

void Linear::Apply(const Matrix& x, Matrix& y, Gemm& gemm) const {
  y.Resize(x.rows(), out_);
  ApplyAt(x, 0, y, gemm);
}

void Linear::ApplyAt(const Matrix& x, int first_row, Matrix& y, Gemm& gemm) const {
  assert(first_row + x.rows() <= y.rows() && y.columns() == out_);
  ForEachProduct(x, gemm, [&](int row, int column, const ProductRows& product) {
    AddBias(product, y.row(first_row + row) + column, out_);
  });
}

void Linear::ApplyAndActivate(const Matrix& x, Activation activation, Matrix& y, Gemm& gemm) const {
  y.Resize(x.rows(), out_);
  ForEachProduct(x, gemm, [&](int row, int column, const ProductRows& product) {
    AddBiasAndActivate(product, activation, y.row(row) + column, out_);
  });
}

void Linear::ApplyAndAdd(const Matrix& x, Matrix& y, Gemm& gemm) const {
  assert(y.rows() == x.rows() && y.columns() == out_);
  ForEachProduct(x, gemm, [&](int row, int column, const ProductRows& product) {
    AddBiasAndResidual(product, y.row(row) + column, out_);
  });
}

void Linear::ArgMax(const Matrix& x, LogSumExp log_sum_exp, std::vector<MaxLogit>& best,
                    Gemm& gemm) const {
  best.resize(x.rows());
  std::array<MaxLogit, kMaxRowsAtOnce> panel_best;
  ForEachProduct(x, gemm, [&](int row, int column, const ProductRows& product) {
    internal::ArgMax(product, log_sum_exp, panel_best.data());
    for (int i = 0; i < product.rows; ++i) {
      panel_best[i].index += column;
      MaxLogit& so_far = best[row + i];
      so_far = column == 0 ? panel_best[i] : LargerOf(so_far, panel_best[i], log_sum_exp);
    }
  });
}

void Linear::FindCandidates(const Matrix& x,
                            absl::FunctionRef<float(int row, float input_scale)> margin,
                            std::vector<PrefilterCandidates>& candidates, Gemm& gemm) const {
  candidates.resize(x.rows());
  std::array<MaxLogit, kMaxRowsAtOnce> panel_best;
  ForEachProduct(x, gemm, [&](int row, int column, const ProductRows& product) {
    internal::ArgMax(product, LogSumExp::kLeaveOut, panel_best.data());
    for (int i = 0; i < product.rows; ++i) {
      PrefilterCandidates& so_far = candidates[row + i];
      if (column == 0) {
        so_far.margin = margin(row + i, product.input_scales[i]);
        so_far.largest = panel_best[i].logit;
        so_far.count = 0;
      }
      so_far.largest = std::max(so_far.largest, panel_best[i].logit);
    }
    AddCandidates(product, column, &candidates[row]);
  });
  for (PrefilterCandidates& row : candidates) row.Prune();
}

float Linear::LargestScale() const { return *std::max_element(scales_.begin(), scales_.end()); }

}  // namespace limpid::internal

namespace limpid {

bool IsSupported(ComputeType type) {
  switch (type) {
    case ComputeType::kBFloat16:
      return internal::Has(dnnl::cpu_isa::avx512_core_bf16);
    case ComputeType::kInt8:
      return internal::Has(dnnl::cpu_isa::sse41);
    default:
      return true;
  }
}

}  // namespace limpid

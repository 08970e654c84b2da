#include "engine/linear.h"

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <numeric>
#include <unordered_map>
#include <utility>

#include "absl/hash/hash.h"
#include "oneapi/dnnl/dnnl.hpp"

// Part of the OpenMP interface, which oneDNN's Debian build runs on. Declared here because clang's
// omp.h would bring a second OpenMP library, whose setting oneDNN would not see.
extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int threads);
}

namespace limpid {
namespace {

using DnnlType = dnnl::memory::data_type;
using DnnlTag = dnnl::memory::format_tag;

const dnnl::engine& Cpu() {
  static const dnnl::engine& engine = *new dnnl::engine(dnnl::engine::kind::cpu, 0);
  return engine;
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

DnnlType WeightType(ComputeType type) {
  return type == ComputeType::kInt8 ? DnnlType::s8 : InputType(type);
}

dnnl::memory::dims DimsOf(const dnnl::memory::desc& layout) {
#if DNNL_VERSION_MAJOR >= 3
  return layout.get_dims();
#else
  return layout.dims();
#endif
}

// oneDNN writes the code that it compiles to wherever its allocator points, which without memory is
// nowhere. So we look first whether there is more than it needs; throws std::bad_alloc.
void EnsureMemoryToCompile() {
  constexpr size_t kPlenty = size_t{32} << 20;
  void* memory = mmap(nullptr, kPlenty, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) throw std::bad_alloc();
  munmap(memory, kPlenty);
}

// x [rows, in] times weights [in, out], which lie as `layout` says (or as oneDNN likes best:
// `any`).
dnnl::matmul::primitive_desc DescribeProduct(int rows, int in, int out,
                                             const dnnl::memory::desc& layout, ComputeType type) {
  EnsureMemoryToCompile();
  const DnnlType result = type == ComputeType::kInt8 ? DnnlType::s32 : DnnlType::f32;
  const dnnl::memory::desc x({rows, in}, InputType(type), DnnlTag::ab);
  const dnnl::memory::desc y({rows, out}, result, DnnlTag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::matmul::primitive_desc(Cpu(), x, layout, y, attributes);
#else
  return dnnl::matmul::primitive_desc(dnnl::matmul::desc(x, layout, y), attributes, Cpu());
#endif
}

// Row-major weights [out, in] are weights [in, out] whose last dimension comes first.
dnnl::memory Reorder(const void* rows, DnnlType type, const dnnl::memory::desc& layout) {
  dnnl::memory plain({DimsOf(layout), type, DnnlTag::ba}, Cpu(), const_cast<void*>(rows));
  dnnl::memory packed(layout, Cpu());
  dnnl::stream stream(Cpu());
  dnnl::reorder(plain, packed).execute(stream, plain, packed);
  stream.wait();
  return packed;
}

}  // namespace

SingleThreadScope::SingleThreadScope() : previous_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}
SingleThreadScope::~SingleThreadScope() { omp_set_num_threads(previous_); }

bool IsSupported(ComputeType type) {
  // An instruction set has the bits of all those that it includes.
  const auto has = [](dnnl::cpu_isa isa) {
    const auto bits = static_cast<unsigned>(isa);
    return (static_cast<unsigned>(dnnl::get_effective_cpu_isa()) & bits) == bits;
  };
  switch (type) {
    case ComputeType::kBFloat16:
      return has(dnnl::cpu_isa::avx512_core_bf16);
    case ComputeType::kInt8:
      // Without VNNI oneDNN adds two products in 16 bits, which overflow: 2 · 255 · 127.
      return has(dnnl::cpu_isa::avx512_core_vnni) || has(dnnl::cpu_isa::avx2_vnni);
    default:
      return true;
  }
}

struct PackedMatrix {
  PackedMatrix(dnnl::memory packed, int in_columns, int out_columns, ComputeType compute_type)
      : memory(std::move(packed)), in(in_columns), out(out_columns), type(compute_type) {}

  dnnl::memory memory;  // [in, out] in a layout of oneDNN's choice
  int in;
  int out;
  ComputeType type;
};

struct Products::State {
  struct Product {
    dnnl::matmul primitive;
    dnnl::memory x, y, scratchpad;
  };
  // Weights of the same size and type have the same layout, so they share products.
  using Key = std::array<int, 4>;  // rows, in, out, type

  Product& Find(int rows, const PackedMatrix& weights) {
    const Key key = {rows, weights.in, weights.out, static_cast<int>(weights.type)};
    const auto it = products.find(key);
    if (it != products.end()) return it->second;
    // oneDNN keeps what it compiles for all threads. One at a time asks it, so that workers which
    // need the same product wait for one of them to compile it.
    static std::mutex& compiling = *new std::mutex;
    const std::lock_guard<std::mutex> lock(compiling);
    const auto description =
        DescribeProduct(rows, weights.in, weights.out, weights.memory.get_desc(), weights.type);
    scratchpad.Reserve(description.scratchpad_desc().get_size());
    Product product = {dnnl::matmul(description),
                       dnnl::memory(description.src_desc(), Cpu(), nullptr),
                       dnnl::memory(description.dst_desc(), Cpu(), nullptr),
                       dnnl::memory(description.scratchpad_desc(), Cpu(), nullptr)};
    return products.emplace(key, std::move(product)).first->second;
  }

  // Rows of x as `type` wants them.
  const void* Convert(const Matrix& x, int begin, int rows, ComputeType type) {
    if (type == ComputeType::kFloat32) return x.row(begin);
    const int in = x.columns();
    const size_t size = static_cast<size_t>(PaddedRows(rows)) * in;
    if (type == ComputeType::kBFloat16) {
      bfloat16.Reserve(size);
      for (int i = 0; i < rows; ++i) {
        RoundToBFloat16(x.row(begin + i), in, bfloat16.data() + static_cast<size_t>(i) * in);
      }
      return bfloat16.data();
    }
    int8.Reserve(size);
    for (int i = 0; i < rows; ++i) {
      input_scales[i] = Quantize(x.row(begin + i), in, int8.data() + static_cast<size_t>(i) * in);
    }
    return int8.data();
  }

  // Not one of Abseil's: they are broken where memory runs out, even to be destroyed.
  std::unordered_map<Key, Product, absl::Hash<Key>> products;
  dnnl::stream stream{Cpu()};
  int input_rows = 0;           // that were taken in
  const void* input = nullptr;  // [input_rows, in], as their type wants them
  Buffer<uint16_t> bfloat16;    // [rows, in]: inputs
  Buffer<uint8_t> int8;         // [rows, in]: inputs, with kInputZero for 0
  std::array<float, kMostRows> input_scales = {};
  Buffer<float> result;  // [rows, out]; int32 takes as much room
  Buffer<std::byte> scratchpad;
};

Products::Products() : state_(std::make_unique<State>()) {}
Products::~Products() = default;
Products::Products(Products&&) noexcept = default;
Products& Products::operator=(Products&&) noexcept = default;

float Products::input_scale(int row) const { return state_->input_scales[row]; }

void Products::TakeIn(const Matrix& x, int begin, int rows, ComputeType type) {
  assert(rows > 0 && rows <= kMostRows);
  state_->input_rows = rows;
  state_->input = state_->Convert(x, begin, rows, type);
}

const void* Products::Multiply(const PackedMatrix& weights) {
  State& state = *state_;
  const int rows = PaddedRows(state.input_rows);
  State::Product& product = state.Find(rows, weights);
  state.result.Reserve(static_cast<size_t>(rows) * weights.out);
  product.x.set_data_handle(const_cast<void*>(state.input));
  product.y.set_data_handle(state.result.data());
  product.scratchpad.set_data_handle(state.scratchpad.data());
  // The C interface takes a plain array; the C++ one would build a map and a vector a call.
  const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, product.x.get()},
                                       {DNNL_ARG_WEIGHTS, weights.memory.get()},
                                       {DNNL_ARG_DST, product.y.get()},
                                       {DNNL_ARG_SCRATCHPAD, product.scratchpad.get()}};
  dnnl::error::wrap_c_api(
      dnnl_primitive_execute(product.primitive.get(), state.stream.get(), 4, arguments),
      "could not run a matrix product");
  return state.result.data();
}

Linear Linear::Pack(absl::Span<const LinearWeights> layers, ComputeType type) {
  Linear linear;
  linear.in_ = static_cast<int>(layers[0].weight.columns());
  std::vector<Row> rows;
  for (const LinearWeights& layer : layers) {
    assert(layer.weight.columns() == linear.in_);
    for (int64_t i = 0; i < layer.weight.rows(); ++i) rows.push_back({&layer.weight, i});
    const std::vector<float> bias = ReadAll(layer.bias);
    linear.bias_.insert(linear.bias_.end(), bias.begin(), bias.end());
  }
  linear.PackRows(rows, type);
  return linear;
}

Linear Linear::PackOutputs(const LinearWeights& layer, absl::Span<const int> outputs,
                           ComputeType type) {
  constexpr size_t kGranularity = 256;
  const size_t out = (outputs.size() + kGranularity - 1) / kGranularity * kGranularity;
  Linear linear;
  linear.in_ = static_cast<int>(layer.weight.columns());
  const std::vector<float> bias = ReadAll(layer.bias);
  std::vector<Row> rows;
  for (const int output : outputs) {
    rows.push_back({&layer.weight, output});
    linear.bias_.push_back(bias[output]);
  }
  rows.resize(out);
  linear.bias_.resize(out, -std::numeric_limits<float>::infinity());
  linear.PackRows(rows, type);
  return linear;
}

void Linear::PackRows(absl::Span<const Row> rows, ComputeType type) {
  assert(type != ComputeType::kAuto);
  out_ = static_cast<int>(rows.size());
  const auto in = static_cast<size_t>(in_);
  if (type != ComputeType::kInt8) {
    Buffer<float> floats;  // [out, in]
    floats.Reserve(rows.size() * in);
    float* next = floats.data();
    for (const Row& row : rows) {
      if (row.tensor == nullptr) {
        std::fill_n(next, in, 0.0F);
      } else {
        ReadRow(*row.tensor, row.index, next);
      }
      next += in;
    }
    PackPanels(floats.data(), in * sizeof(float), type);
    return;
  }
  Buffer<int8_t> integers;  // [out, in]
  integers.Reserve(rows.size() * in);
  std::vector<float> floats(in);
  int8_t* next = integers.data();
  for (const Row& row : rows) {
    if (row.tensor == nullptr) {
      std::fill_n(next, in, int8_t{0});
      scales_.push_back(0);
    } else if (row.tensor->dtype == DType::kInt8) {
      std::memcpy(next, row.tensor->data + static_cast<size_t>(row.index) * in, in);
      scales_.push_back(row.tensor->scales[row.index]);
    } else {
      ReadRow(*row.tensor, row.index, floats.data());
      scales_.push_back(Quantize(floats.data(), in_, next));
    }
    // Of huge rows the sum wraps around, as the product itself does then.
    const auto sum = static_cast<uint32_t>(std::accumulate(next, next + in, int64_t{0}));
    offsets_.push_back(static_cast<int32_t>(kInputZero * sum));
    next += in;
  }
  PackPanels(integers.data(), in, type);
}

void Linear::PackPanels(const void* rows, size_t row_bytes, ComputeType type) {
  const DnnlType row_type = type == ComputeType::kInt8 ? DnnlType::s8 : DnnlType::f32;
  for (int begin = 0; begin < out_; begin += kMostColumns) {
    const int out = std::min(kMostColumns, out_ - begin);
    const dnnl::memory::desc any({in_, out}, WeightType(type), DnnlTag::any);
    const dnnl::memory::desc layout =
        DescribeProduct(Products::kMostRows, in_, out, any, type).weights_desc();
    const std::byte* panel = static_cast<const std::byte*>(rows) + begin * row_bytes;
    panels_.push_back(
        std::make_shared<PackedMatrix>(Reorder(panel, row_type, layout), in_, out, type));
  }
}

Linear Linear::Without(absl::Span<const int> outputs) const {
  Linear copy = *this;
  for (const int output : outputs) copy.bias_[output] = -std::numeric_limits<float>::infinity();
  return copy;
}

// Calls finish(row, first column, product row) for each row of x Wᵀ, panel by panel.
template <typename Finish>
void Linear::ForEachRow(const Matrix& x, Products& products, const Finish& finish) const {
  assert(x.columns() == in_);
  for (int begin = 0; begin < x.rows(); begin += Products::kMostRows) {
    const int rows = std::min(Products::kMostRows, x.rows() - begin);
    products.TakeIn(x, begin, rows, panels_.front()->type);
    int column = 0;
    for (const std::shared_ptr<const PackedMatrix>& panel : panels_) {
      ProductRow product = {.size = panel->out, .bias = &bias_[column]};
      if (!scales_.empty()) {
        product.scales = &scales_[column];
        product.offsets = &offsets_[column];
      }
      const auto* values = static_cast<const std::byte*>(products.Multiply(*panel));
      for (int i = 0; i < rows; ++i) {
        product.values = values + static_cast<size_t>(i) * panel->out * sizeof(float);
        product.input_scale = products.input_scale(i);
        finish(begin + i, column, product);
      }
      column += panel->out;
    }
  }
}

void Linear::Apply(const Matrix& x, Matrix& y, Products& products) const {
  y.Resize(x.rows(), out_);
  ForEachRow(x, products, [&](int row, int column, const ProductRow& product) {
    AddBias(product, y.row(row) + column);
  });
}

void Linear::ApplyAndActivate(const Matrix& x, Activation activation, Matrix& y,
                              Products& products) const {
  y.Resize(x.rows(), out_);
  ForEachRow(x, products, [&](int row, int column, const ProductRow& product) {
    AddBiasAndActivate(product, activation, y.row(row) + column);
  });
}

void Linear::ApplyAndAdd(const Matrix& x, Matrix& y, Products& products) const {
  assert(y.rows() == x.rows() && y.columns() == out_);
  ForEachRow(x, products, [&](int row, int column, const ProductRow& product) {
    AddBiasAndResidual(product, y.row(row) + column);
  });
}

void Linear::FindBest(const Matrix& x, LogSumExp log_sum_exp, std::vector<Best>& best,
                      Products& products) const {
  best.resize(x.rows());
  ForEachRow(x, products, [&](int row, int column, const ProductRow& product) {
    Best of_panel = limpid::FindBest(product, log_sum_exp);
    of_panel.index += column;
    best[row] = column == 0 ? of_panel : BetterOf(best[row], of_panel, log_sum_exp);
  });
}

}  // namespace limpid

#include "engine/linear.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstddef>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "engine/ops.h"
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

// x [rows, in] times weights [in, out], which lie as `layout` says (or as oneDNN likes best:
// `any`).
dnnl::matmul::primitive_desc DescribeProduct(int rows, int in, int out,
                                             const dnnl::memory::desc& layout) {
  const dnnl::memory::desc x({rows, in}, DnnlType::f32, DnnlTag::ab);
  const dnnl::memory::desc y({rows, out}, DnnlType::f32, DnnlTag::ab);
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
#if DNNL_VERSION_MAJOR >= 3
  return dnnl::matmul::primitive_desc(Cpu(), x, layout, y, attributes);
#else
  return dnnl::matmul::primitive_desc(dnnl::matmul::desc(x, layout, y), attributes, Cpu());
#endif
}

}  // namespace

SingleThreadScope::SingleThreadScope() : previous_(omp_get_max_threads()) {
  omp_set_num_threads(1);
}
SingleThreadScope::~SingleThreadScope() { omp_set_num_threads(previous_); }

struct PackedMatrix {
  dnnl::memory memory;  // [in, out] in a layout of oneDNN's choice
  int in = 0;
  int out = 0;
};

struct Products::State {
  struct Product {
    dnnl::matmul primitive;
    dnnl::memory x, y, scratchpad;
  };
  // Weights of the same size have the same layout, so they share products.
  using Key = std::array<int, 3>;  // rows, in, out

  Product Make(const PackedMatrix& weights, int rows) {
    const auto description =
        DescribeProduct(rows, weights.in, weights.out, weights.memory.get_desc());
    const size_t scratch_bytes = description.scratchpad_desc().get_size();
    scratchpad.Reserve(scratch_bytes);
    return {dnnl::matmul(description), dnnl::memory(description.src_desc(), Cpu(), nullptr),
            dnnl::memory(description.dst_desc(), Cpu(), nullptr),
            dnnl::memory(description.scratchpad_desc(), Cpu(), nullptr)};
  }

  absl::flat_hash_map<Key, Product> products;
  dnnl::stream stream{Cpu()};
  Buffer<float> result;
  Buffer<std::byte> scratchpad;
};

Products::Products() : state_(std::make_unique<State>()) {}
Products::~Products() = default;
Products::Products(Products&&) noexcept = default;
Products& Products::operator=(Products&&) noexcept = default;

const float* Products::Multiply(const float* x, int rows, const PackedMatrix& weights) {
  assert(rows > 0 && rows <= kMostRows);
  State& state = *state_;
  rows = PaddedRows(rows);
  const State::Key key = {rows, weights.in, weights.out};
  auto it = state.products.find(key);
  if (it == state.products.end()) it = state.products.emplace(key, state.Make(weights, rows)).first;
  State::Product& product = it->second;
  state.result.Reserve(static_cast<size_t>(rows) * weights.out);
  product.x.set_data_handle(const_cast<float*>(x));
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

Linear Linear::Pack(absl::Span<const LinearWeights> layers) {
  Linear linear;
  linear.in_ = static_cast<int>(layers[0].weight.columns());
  std::vector<float> weights;  // [out, in]
  for (const LinearWeights& layer : layers) {
    assert(layer.weight.columns() == linear.in_);
    const std::vector<float> part = ReadAll(layer.weight);
    weights.insert(weights.end(), part.begin(), part.end());
    const std::vector<float> bias = ReadAll(layer.bias);
    linear.bias_.insert(linear.bias_.end(), bias.begin(), bias.end());
  }
  linear.out_ = static_cast<int>(linear.bias_.size());

  const dnnl::memory::dims dims = {linear.in_, linear.out_};
  const auto best = DescribeProduct(Products::kMostRows, linear.in_, linear.out_,
                                    dnnl::memory::desc(dims, DnnlType::f32, DnnlTag::any));
  // Weights [out, in], row-major, are weights [in, out] with the last dimension first.
  dnnl::memory plain(dnnl::memory::desc(dims, DnnlType::f32, DnnlTag::ba), Cpu(), weights.data());
  auto packed = std::make_shared<PackedMatrix>();
  packed->memory = dnnl::memory(best.weights_desc(), Cpu());
  packed->in = linear.in_;
  packed->out = linear.out_;
  dnnl::stream stream(Cpu());
  dnnl::reorder(plain, packed->memory).execute(stream, plain, packed->memory);
  stream.wait();
  linear.weights_ = std::move(packed);
  return linear;
}

// Calls finish(row, product row) for each row of x Wᵀ. Rows go through in blocks, so that a product
// is finished while it is still in the cache.
template <typename Finish>
void Linear::ForEachRow(const Matrix& x, Products& products, const Finish& finish) const {
  assert(x.columns() == in_);
  for (int begin = 0; begin < x.rows(); begin += Products::kMostRows) {
    const int rows = std::min(Products::kMostRows, x.rows() - begin);
    const float* product = products.Multiply(x.row(begin), rows, *weights_);
    for (int i = 0; i < rows; ++i) finish(begin + i, product + static_cast<size_t>(i) * out_);
  }
}

void Linear::Apply(const Matrix& x, Matrix& y, Products& products) const {
  y.Resize(x.rows(), out_);
  ForEachRow(x, products, [&](int row, const float* product) {
    AddBias(product, bias_.data(), out_, y.row(row));
  });
}

void Linear::ApplyAndActivate(const Matrix& x, Activation activation, Matrix& y,
                              Products& products) const {
  y.Resize(x.rows(), out_);
  ForEachRow(x, products, [&](int row, const float* product) {
    AddBiasAndActivate(product, bias_.data(), out_, activation, y.row(row));
  });
}

void Linear::ApplyAndAdd(const Matrix& x, Matrix& y, Products& products) const {
  assert(y.rows() == x.rows() && y.columns() == out_);
  ForEachRow(x, products, [&](int row, const float* product) {
    AddBiasAndResidual(product, bias_.data(), out_, y.row(row));
  });
}

}  // namespace limpid

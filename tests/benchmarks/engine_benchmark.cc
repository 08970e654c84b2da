// The cost of the engine's parts, compared with the processor's limits.
//
//   cmake -S . -B build -DLIMPID_BENCHMARKS=ON && cmake --build build --target engine_benchmark
//   build/tests/engine_benchmark
//
// Limits are measured in the same run:
//   of_matmul  time of oneDNN's matmul alone on the same shape / time
//   of_memory  time to read as many bytes from the same cache level / time
// Everything runs on one thread.

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <random>
#include <vector>

#include "benchmark/benchmark.h"
#include "engine/math/linear.h"
#include "engine/math/ops.h"
#include "engine/searcher.h"
#include "engine/speed/fast_packing.h"
#include "engine/transformer/transformer.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/weights.h"
#include "oneapi/dnnl/dnnl.hpp"

namespace limpid::internal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kModel[] = "models/eng-deu";

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Seconds that `work` takes when warm: the minimum of ten runs of 2 ms or more.
template <typename Work>
double SecondsOf(const Work& work) {
  work();
  double best = 1e9;
  for (int run = 0; run < 10; ++run) {
    int times = 0;
    const Clock::time_point start = Clock::now();
    while (SecondsSince(start) < 2e-3) {
      work();
      ++times;
    }
    best = std::min(best, SecondsSince(start) / times);
  }
  return best;
}

// Aligned like the engine's memory.
Buffer<float> RandomFloats(size_t size) {
  std::mt19937 random(1);
  std::uniform_real_distribution<float> uniform(-1, 1);
  Buffer<float> values;
  values.Reserve(size);
  std::generate_n(values.data(), size, [&] { return uniform(random); });
  return values;
}

// ---- Limits ------------------------------------------------------------------------------------

struct Shape {
  int rows, in, out;
  auto operator<=>(const Shape&) const = default;
};

double Flops(const Shape& shape) { return 2.0 * shape.rows * shape.in * shape.out; }

// Plain oneDNN matmul: [rows, in] times packed weights [in, out].
double MeasureMatmul(const Shape& shape, ComputeType type) {
  using dnnl::memory;
  const memory::data_type input = type == ComputeType::kInt8       ? memory::data_type::u8
                                  : type == ComputeType::kBFloat16 ? memory::data_type::bf16
                                                                   : memory::data_type::f32;
  const memory::data_type weight = type == ComputeType::kInt8 ? memory::data_type::s8 : input;
  const memory::data_type output =
      type == ComputeType::kInt8 ? memory::data_type::s32 : memory::data_type::f32;
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::desc x({shape.rows, shape.in}, input, memory::format_tag::ab);
  const memory::desc w({shape.in, shape.out}, weight, memory::format_tag::any);
  const memory::desc y({shape.rows, shape.out}, output, memory::format_tag::ab);
#if DNNL_VERSION_MAJOR >= 3
  const dnnl::matmul::primitive_desc description(engine, x, w, y);
#else
  const dnnl::matmul::primitive_desc description(dnnl::matmul::desc(x, w, y), engine);
#endif
  const dnnl::matmul matmul(description);
  memory source(x, engine);
  memory weights(description.weights_desc(), engine);
  memory result(y, engine);
  for (memory* part : {&source, &weights}) {
    std::fill_n(static_cast<char*>(part->get_data_handle()), part->get_desc().get_size(), 1);
  }
  return SecondsOf([&] {
    matmul.execute(stream,
                   {{DNNL_ARG_SRC, source}, {DNNL_ARG_WEIGHTS, weights}, {DNNL_ARG_DST, result}});
  });
}

double MatmulSeconds(const Shape& shape, ComputeType type) {
  static std::map<std::pair<Shape, ComputeType>, double>& known =
      *new std::map<std::pair<Shape, ComputeType>, double>;
  const auto [found, is_new] = known.try_emplace({shape, type}, 0);
  if (is_new) found->second = MeasureMatmul(shape, type);
  return found->second;
}

__attribute__((target_clones("avx512f", "avx2", "default"))) float SumOf(const float* values,
                                                                         size_t size) {
  std::array<float, 128> sums = {};  // many, so that additions are independent
  for (size_t i = 0; i + sums.size() <= size; i += sums.size()) {
    for (size_t j = 0; j < sums.size(); ++j) sums[j] += values[i + j];
  }
  return sums[0] + sums[sums.size() - 1];
}

// Reads `bytes` repeatedly: from the smallest cache that holds them, or from memory.
double ReadSeconds(size_t bytes) {
  const size_t size = bytes / sizeof(float);
  const Buffer<float> values = RandomFloats(size);
  return SecondsOf([&] { benchmark::DoNotOptimize(SumOf(values.data(), size)); });
}

// `limit`: seconds per iteration at the limit.
benchmark::Counter ShareOf(double limit) {
  return {limit, benchmark::Counter::kIsIterationInvariantRate};
}

benchmark::Counter Rate(double count) {
  return {count, benchmark::Counter::kIsIterationInvariantRate};
}

// ---- Linear layers -----------------------------------------------------------------------------

// The shapes of the shipped model: queries, keys and values; the feed-forward network; the output.
constexpr int kShapes[][2] = {{256, 256}, {256, 768}, {256, 1024}, {1024, 256}, {256, 8001}};

void BM_Linear(benchmark::State& state, ComputeType type) {
  const SingleThreadScope single_thread;
  const auto& [in, out] = kShapes[state.range(0)];
  const Shape shape = {static_cast<int>(state.range(1)), in, out};
  const Buffer<float> weight = RandomFloats(static_cast<size_t>(in) * out);
  const Buffer<float> bias = RandomFloats(out);
  const auto view = [](const Buffer<float>& values, std::vector<int64_t> dims) {
    return TensorView{DType::kFloat32, std::move(dims),
                      reinterpret_cast<const std::byte*>(values.data())};
  };
  const Linear linear =
      Linear::Pack({{view(weight, {out, in}), view(bias, {out})}}, FastPacking(type));
  Matrix x;
  Matrix y;
  Gemm gemm;
  x.Resize(shape.rows, in);
  const Buffer<float> input = RandomFloats(static_cast<size_t>(shape.rows) * in);
  std::copy_n(input.data(), static_cast<size_t>(shape.rows) * in, x.row(0));
  linear.Apply(x, y, gemm);
  for (auto _ : state) linear.Apply(x, y, gemm);
  state.SetLabel(std::to_string(in) + " to " + std::to_string(out));
  state.counters["FLOP/s"] = Rate(Flops(shape));
  state.counters["of_matmul"] = ShareOf(MatmulSeconds(shape, type));
}

void LinearShapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"shape", "rows"});
  for (int shape = 0; shape < static_cast<int>(std::size(kShapes)); ++shape) {
    for (const int rows : {1, 4, 16, 64}) benchmark->Args({shape, rows});
  }
}
BENCHMARK_CAPTURE(BM_Linear, float32, ComputeType::kFloat32)->Apply(LinearShapes);
BENCHMARK_CAPTURE(BM_Linear, bfloat16, ComputeType::kBFloat16)->Apply(LinearShapes);
BENCHMARK_CAPTURE(BM_Linear, int8, ComputeType::kInt8)->Apply(LinearShapes);

// ---- The arithmetic between linear layers ------------------------------------------------------

void BM_Attend(benchmark::State& state) {
  const Heads heads = {4, 64};
  const int keys = static_cast<int>(state.range(0));
  const int model_dim = heads.heads * heads.head_dim;
  // As in the cache, whose rows are padded beyond the keys and values of two layers.
  const size_t stride = static_cast<size_t>(4) * model_dim + 16;
  const Buffer<float> memory = RandomFloats(keys * stride);
  const Buffer<float> query = RandomFloats(model_dim);
  std::vector<const float*> rows;
  for (int key = 0; key < keys; ++key) rows.push_back(&memory[key * stride]);
  Buffer<float> weights;
  weights.Reserve(static_cast<size_t>(heads.heads) * PaddedKeys(keys));
  Buffer<float> context;
  context.Reserve(model_dim);
  const KeysAndValues visible = {{rows.data(), keys}, 0, model_dim};
  for (auto _ : state) {
    Attend(query.data(), visible, heads, weights.data(), nullptr, context.data());
    benchmark::ClobberMemory();
  }
  const size_t bytes = 2 * sizeof(float) * keys * static_cast<size_t>(model_dim);
  state.counters["FLOP/s"] = Rate(4.0 * keys * model_dim);
  state.counters["of_memory"] = ShareOf(ReadSeconds(bytes));
}
BENCHMARK(BM_Attend)->ArgName("keys")->Arg(1)->Arg(10)->Arg(50)->Arg(500);

void BM_LayerNorm(benchmark::State& state) {
  const int size = static_cast<int>(state.range(0));
  const Buffer<float> scale = RandomFloats(size);
  Buffer<float> x = RandomFloats(size);
  for (auto _ : state) {
    Normalize(x.data(), scale.data(), scale.data(), 1e-5F, size, x.data());
    benchmark::ClobberMemory();
  }
  state.counters["of_memory"] = ShareOf(ReadSeconds(3 * sizeof(float) * size));
}
BENCHMARK(BM_LayerNorm)->ArgName("model_dim")->Arg(256)->Arg(512);

void BM_ArgMax(benchmark::State& state) {
  const int size = static_cast<int>(state.range(0));
  const Buffer<float> logits = RandomFloats(size);
  for (auto _ : state) benchmark::DoNotOptimize(ArgMax(logits.data(), size));
  state.counters["of_memory"] = ShareOf(ReadSeconds(sizeof(float) * size));
}
BENCHMARK(BM_ArgMax)->ArgName("vocab")->Arg(8001);

// ---- The model ---------------------------------------------------------------------------------

const Transformer& Model(ComputeType type) {
  static std::map<ComputeType, Transformer>& models = *new std::map<ComputeType, Transformer>;
  const auto found = models.find(type);
  if (found != models.end()) return found->second;
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(kModel);
  if (!checkpoint.ok()) {
    std::cerr << "run this from the source folder: " << checkpoint.status().message() << "\n";
    std::exit(1);
  }
  const absl::StatusOr<ModelWeights> weights = BindWeights(checkpoint->config, checkpoint->tensors);
  return models.try_emplace(type, *std::move(checkpoint), *weights, type).first->second;
}

SourceBatch MakeSource(int sentences, int length) {
  SourceBatch source;
  source.Clear();
  for (int sentence = 0; sentence < sentences; ++sentence) {
    std::vector<int> ids;
    for (int i = 0; i + 1 < length; ++i) ids.push_back(100 + (sentence * 31 + i * 7) % 5000);
    ids.push_back(0);
    source.Add(ids);
  }
  return source;
}

// The matmuls alone of the shipped model's encoder, and of one decoder step.
double EncoderMatmuls(int rows, ComputeType type) {
  const auto seconds = [&](int in, int out) { return MatmulSeconds({rows, in, out}, type); };
  return 4 * (seconds(256, 768) + seconds(256, 256) + seconds(256, 1024) + seconds(1024, 256)) +
         seconds(256, 1024);
}
double StepMatmuls(int rows, ComputeType type) {
  const auto seconds = [&](int in, int out) { return MatmulSeconds({rows, in, out}, type); };
  return 2 * (seconds(256, 768) + 3 * seconds(256, 256) + seconds(256, 1024) + seconds(1024, 256)) +
         seconds(256, 8001);
}

void BM_Encode(benchmark::State& state, ComputeType type) {
  const SingleThreadScope single_thread;
  const Transformer& model = Model(type);
  const int sentences = static_cast<int>(state.range(0));
  const int length = 10;
  const SourceBatch source = MakeSource(sentences, length);
  Execution exec;
  CrossAttentionCache cross_cache;
  model.Encode(source, cross_cache, exec);
  for (auto _ : state) model.Encode(source, cross_cache, exec);
  // A GEMM multiplies at most 64 rows at a time.
  const int tokens = sentences * length;
  const double blocks = tokens / static_cast<double>(std::min(tokens, 64));
  state.counters["of_matmul"] = ShareOf(blocks * EncoderMatmuls(std::min(tokens, 64), type));
}
BENCHMARK_CAPTURE(BM_Encode, float32, ComputeType::kFloat32)->ArgName("sentences")->Arg(1)->Arg(64);
BENCHMARK_CAPTURE(BM_Encode, int8, ComputeType::kInt8)->ArgName("sentences")->Arg(1)->Arg(64);

// The sixth step of sentences of ten tokens.
void BM_DecoderStep(benchmark::State& state, ComputeType type) {
  const SingleThreadScope single_thread;
  const Transformer& model = Model(type);
  const ModelConfig& config = model.config();
  const int sentences = static_cast<int>(state.range(0));
  const SourceBatch source = MakeSource(sentences, 10);
  Execution exec;
  CrossAttentionCache cross_cache;
  SelfAttentionCache self_cache;
  ActiveVocabulary vocabulary;  // all tokens
  std::vector<DecoderInput> inputs(sentences);
  model.Encode(source, cross_cache, exec);
  const auto restart = [&] {
    self_cache.Reset(config.decoder_layers, config.model_dim, sentences);
    for (int sentence = 0; sentence < sentences; ++sentence) {
      inputs[sentence] = {config.decoder_start_id, 5, sentence, sentence};
      for (int token = 0; token < 5; ++token) {
        self_cache.Append(sentence);
        for (int layer = 0; layer < config.decoder_layers; ++layer) {
          std::fill_n(self_cache.row(sentence, token, layer), 2 * config.model_dim, 0.1F);
        }
      }
    }
  };
  for (auto _ : state) {
    state.PauseTiming();
    restart();
    state.ResumeTiming();
    benchmark::DoNotOptimize(model.Logits(
        model.Step({inputs, source, cross_cache, self_cache}, exec), vocabulary, exec));
  }
  state.counters["of_matmul"] = ShareOf(StepMatmuls(sentences, type));
}
BENCHMARK_CAPTURE(BM_DecoderStep, float32, ComputeType::kFloat32)
    ->ArgName("sentences")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64);
BENCHMARK_CAPTURE(BM_DecoderStep, int8, ComputeType::kInt8)
    ->ArgName("sentences")
    ->Arg(1)
    ->Arg(8)
    ->Arg(64);

// Cost against length and batch size, which must grow without a cliff.
void BM_Greedy(benchmark::State& state, ComputeType type) {
  const SingleThreadScope single_thread;
  const Transformer& model = Model(type);
  const int sentences = static_cast<int>(state.range(0));
  const int length = static_cast<int>(state.range(1));
  const SourceBatch source = MakeSource(sentences, length);
  Searcher searcher(model);
  const SearchOptions options = {.log_probabilities = false, .max_output_tokens = length};
  const TokenConstraints constraints;
  searcher.Search(source, {options, constraints});
  double tokens = 0;
  for (auto _ : state) {
    for (const Hypotheses& found : searcher.Search(source, {options, constraints})) {
      tokens += static_cast<double>(found.front().ids.size());
    }
  }
  state.counters["us/token"] =
      benchmark::Counter(1e-6 * tokens, benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}
void LengthsAndBatches(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"sentences", "length"})->Unit(benchmark::kMillisecond);
  for (const int length : {1, 2, 5, 10, 20, 50, 100, 200, 500}) benchmark->Args({1, length});
  for (const int sentences :
       {1, 2, 3, 4, 5, 8, 12, 16, 17, 24, 32, 48, 64, 65, 96, 128, 192, 256, 384, 512}) {
    benchmark->Args({sentences, 10});
  }
}
BENCHMARK_CAPTURE(BM_Greedy, float32, ComputeType::kFloat32)->Apply(LengthsAndBatches);
BENCHMARK_CAPTURE(BM_Greedy, int8, ComputeType::kInt8)->Apply(LengthsAndBatches);

}  // namespace
}  // namespace limpid::internal

BENCHMARK_MAIN();

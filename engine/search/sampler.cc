#include "engine/search/sampler.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

#include "engine/search/logits_processor.h"

namespace limpid::internal {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

// SplitMix64 (Steele et al. 2014).
uint64_t Scramble(uint64_t x) {
  x += 0x9e3779b97f4a7c15;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9;
  x = (x ^ (x >> 27)) * 0x94d049bb133111eb;
  return x ^ (x >> 31);
}

// Gumbel noise: -log(-log(1 - x)) for x = bits / 2^64, uniform in (0, 1).
double Gumbel(uint64_t bits) {
  const double x = (static_cast<double>(bits >> 11) + 0.5) * 0x1p-53;
  return -std::log(-std::log1p(-x));
}

// A cheap upper bound of Gumbel(bits): -log(-log(1 - x)) <= -log(x), and x is at least
// 2^-(leading zeros + 1).
double GumbelBound(uint64_t bits) { return (std::countl_zero(bits) + 1) * M_LN2; }

}  // namespace

uint64_t Hash(uint64_t seed, absl::Span<const int> numbers) {
  uint64_t mixed = Scramble(seed);
  for (const int number : numbers) mixed = Scramble(mixed ^ static_cast<uint32_t>(number));
  return mixed;
}

// The Gumbel-max trick: with Gumbel noise added to each score, the largest is a draw from their
// softmax. A token's noise depends only on the key and the token, whereas a draw from cumulative
// probabilities could flip with the slightest change in any of them.
int Sampler::Sample(absl::Span<const float> scores, const SearchOptions& options, uint64_t key) {
  KeepTop(scores, options);
  // Relative to the largest score, none overflows to +infinity, however low the temperature.
  double largest = kNever;
  for (const int column : columns_) largest = std::max<double>(largest, scores[column]);
  int drawn = -1;
  double best = -std::numeric_limits<double>::infinity();
  for (const int column : columns_) {
    const double score = (scores[column] - largest) / options.temperature;
    const uint64_t bits = Scramble(key ^ static_cast<uint64_t>(column));
    if (score + GumbelBound(bits) <= best) continue;
    const double noisy = score + Gumbel(bits);
    if (noisy <= best) continue;
    best = noisy;
    drawn = column;
  }
  return drawn;
}

// Fills columns_ with the columns to draw from.
void Sampler::KeepTop(absl::Span<const float> scores, const SearchOptions& options) {
  columns_.clear();
  for (size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] > kNever) columns_.push_back(static_cast<int>(i));
  }
  const auto worse = [&](int a, int b) {
    return scores[a] != scores[b] ? scores[a] < scores[b] : a > b;
  };
  const auto better = [&](int a, int b) { return worse(b, a); };
  const auto top_k = static_cast<size_t>(options.top_k);
  if (top_k > 0 && top_k < columns_.size()) {
    std::nth_element(columns_.begin(), columns_.begin() + options.top_k, columns_.end(), better);
    columns_.resize(top_k);
  }
  if (options.top_p >= 1 || columns_.empty()) return;

  // Pops columns off a heap, the best first, until their probabilities sum to top_p.
  std::make_heap(columns_.begin(), columns_.end(), worse);
  const float max = scores[columns_.front()];
  const auto weight = [&](int column) {
    return std::exp((static_cast<double>(scores[column]) - max) / options.temperature);
  };
  double rest = 0;
  for (const int column : columns_) rest += weight(column);
  rest *= options.top_p;
  auto heap_end = columns_.end();
  while (rest > 0 && heap_end != columns_.begin()) {
    std::pop_heap(columns_.begin(), heap_end, worse);
    rest -= weight(*--heap_end);
  }
  columns_.erase(columns_.begin(), heap_end);
}

}  // namespace limpid::internal

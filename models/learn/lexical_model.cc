#include "models/learn/lexical_model.h"

#include <algorithm>
#include <cstddef>
#include <numeric>

#include "models/native/shortlist.h"

namespace limpid::internal {
namespace {

// p(target | source) for all ids that occur in one sentence pair, sorted.
class TranslationTable {
 public:
  explicit TranslationTable(absl::Span<const IdPair> pairs, int source_vocab)
      : rows_(static_cast<size_t>(source_vocab) + 1) {
    for (const IdPair& pair : pairs) {
      for (const int source : pair.source) {
        for (const int target : pair.target) cells_.push_back({source, target});
      }
      // Bounds the memory by the number of distinct cells.
      if (cells_.size() > 2 * unique_ + kSlack) RemoveRepetitions();
    }
    RemoveRepetitions();
    for (const Cell& cell : cells_) ++rows_[cell.source + 1];
    std::partial_sum(rows_.begin(), rows_.end(), rows_.begin());
  }

  // One iteration of expectation maximization.
  void Improve(absl::Span<const IdPair> pairs) {
    for (Cell& cell : cells_) cell.count = 0;
    std::vector<Cell*> column;
    for (const IdPair& pair : pairs) {
      for (const int target : pair.target) {
        column.clear();
        float sum = 0;
        for (const int source : pair.source) {
          column.push_back(Find(source, target));
          sum += column.back()->probability;
        }
        for (Cell* cell : column) cell->count += cell->probability / sum;
      }
    }
    for (size_t source = 0; source + 1 < rows_.size(); ++source) {
      double total = 0;
      for (const Cell& cell : row(source)) total += cell.count;
      for (Cell& cell : row(source)) cell.probability = static_cast<float>(cell.count / total);
    }
  }

  // The most probable target ids of a source id, in descending order.
  std::vector<uint32_t> Best(size_t source, const LexicalOptions& options) {
    std::vector<Cell> cells(row(source).begin(), row(source).end());
    std::stable_sort(cells.begin(), cells.end(),
                     [](const Cell& a, const Cell& b) { return a.probability > b.probability; });
    std::vector<uint32_t> best;
    for (const Cell& cell : cells) {
      if (best.size() == static_cast<size_t>(options.best)) break;
      if (cell.probability < options.min_probability) break;
      best.push_back(static_cast<uint32_t>(cell.target));
    }
    return best;
  }

 private:
  struct Cell {
    int source = 0;
    int target = 0;
    float probability = 1;  // uniform at first
    double count = 0;

    friend bool operator<(const Cell& a, const Cell& b) {
      return a.source != b.source ? a.source < b.source : a.target < b.target;
    }
    friend bool operator==(const Cell& a, const Cell& b) {
      return a.source == b.source && a.target == b.target;
    }
  };
  static constexpr size_t kSlack = 1 << 20;

  void RemoveRepetitions() {
    std::sort(cells_.begin(), cells_.end());
    cells_.erase(std::unique(cells_.begin(), cells_.end()), cells_.end());
    unique_ = cells_.size();
  }

  absl::Span<Cell> row(size_t source) {
    return absl::MakeSpan(cells_).subspan(rows_[source], rows_[source + 1] - rows_[source]);
  }

  Cell* Find(int source, int target) {
    const absl::Span<Cell> cells = row(source);
    return std::lower_bound(cells.begin(), cells.end(), Cell{source, target});
  }

  std::vector<Cell> cells_;
  size_t unique_ = 0;         // cells after RemoveRepetitions
  std::vector<size_t> rows_;  // [source_vocab + 1]: index of each source's first cell
};

std::vector<uint32_t> MostFrequentTargets(absl::Span<const IdPair> pairs, int target_vocab,
                                          int count) {
  std::vector<int64_t> occurrences(target_vocab);
  for (const IdPair& pair : pairs) {
    for (const int target : pair.target) ++occurrences[target];
  }
  std::vector<uint32_t> ids(target_vocab);
  std::iota(ids.begin(), ids.end(), 0);
  std::stable_sort(ids.begin(), ids.end(),
                   [&](uint32_t a, uint32_t b) { return occurrences[a] > occurrences[b]; });
  ids.resize(std::min(count, target_vocab));
  return ids;
}

}  // namespace

std::string LearnShortlist(absl::Span<const IdPair> pairs, int source_vocab, int target_vocab,
                           int source_eos_id, const LexicalOptions& options) {
  TranslationTable table(pairs, source_vocab);
  for (int i = 0; i < options.iterations; ++i) table.Improve(pairs);

  const std::vector<uint32_t> frequent = MostFrequentTargets(pairs, target_vocab, options.frequent);
  std::vector<uint64_t> offsets = {0};
  std::vector<uint32_t> ids;
  for (int source = 0; source < source_vocab; ++source) {
    std::vector<uint32_t> candidates = table.Best(source, options);
    if (source == source_eos_id || source_eos_id < 0) {
      candidates.insert(candidates.end(), frequent.begin(), frequent.end());
    }
    std::sort(candidates.begin(), candidates.end());
    candidates.erase(std::unique(candidates.begin(), candidates.end()), candidates.end());
    ids.insert(ids.end(), candidates.begin(), candidates.end());
    offsets.push_back(ids.size());
  }
  return FormatShortlist({.first_num = 0,
                          .best_num = static_cast<uint64_t>(options.best),
                          .offsets = offsets,
                          .ids = ids});
}

}  // namespace limpid::internal

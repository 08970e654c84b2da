#include "engine/transformer/output.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace limpid::internal {

OutputLayer::OutputLayer(const ModelConfig& config, const LinearWeights& weights, ComputeType type)
    : bad_words_(config.bad_words),
      weights_(weights),
      type_(type),
      layer_(Linear::Pack({weights}, type)),
      allowed_(layer_.Without(bad_words_)),
      is_screened_(type == ComputeType::kFloat32 && IsSupported(ComputeType::kInt8)),
      screen_(is_screened_ ? Screen(weights, bad_words_) : Screen()) {}

void OutputLayer::Select(std::vector<int> tokens, OutputSelection& selection) const {
  selection.layer = Linear::PackOutputs(weights_, tokens, type_);
  std::vector<int> bad_columns;
  for (const int word : bad_words_) {
    const auto found = std::lower_bound(tokens.begin(), tokens.end(), word);
    if (found != tokens.end() && *found == word) {
      bad_columns.push_back(static_cast<int>(found - tokens.begin()));
    }
  }
  selection.allowed = selection.layer.Without(bad_columns);
  selection.tokens = std::move(tokens);
}

void OutputLayer::Apply(const Matrix& x, OutputSelection& selection, Matrix& logits,
                        Products& products) const {
  if (selection.tokens.empty()) {
    layer_.Apply(x, logits, products);
    return;
  }
  selection.layer.Apply(x, selection.logits, products);
  logits.Resize(x.rows(), layer_.out());
  for (int row = 0; row < x.rows(); ++row) {
    std::fill_n(logits.row(row), layer_.out(), -std::numeric_limits<float>::infinity());
    const float* selected = selection.logits.row(row);
    for (const int token : selection.tokens) logits.row(row)[token] = *selected++;
  }
}

void OutputLayer::FindBest(const Matrix& x, OutputSelection& selection, LogSumExp log_sum_exp,
                           std::vector<Best>& best, Products& products) const {
  if (selection.tokens.empty()) {
    if (is_screened_ && log_sum_exp == LogSumExp::kLeaveOut) {
      return FindBestOfScreened(x, selection.screen, best, products);
    }
    allowed_.FindBest(x, log_sum_exp, best, products);
    return;
  }
  selection.allowed.FindBest(x, log_sum_exp, best, products);
  // NaN, from a broken model, may leave a column behind the last token.
  const int last = static_cast<int>(selection.tokens.size()) - 1;
  for (Best& found : best) found.index = selection.tokens[std::min(found.index, last)];
}

void OutputLayer::FindBestOfScreened(const Matrix& x, ScreenScratch& scratch,
                                     std::vector<Best>& best, Products& products) const {
  screen_.FindBest(x, best, scratch, products);
  const int undecided = static_cast<int>(scratch.undecided.size());
  if (undecided == 0) return;
  scratch.undecided_inputs.Resize(undecided, x.columns());
  for (int i = 0; i < undecided; ++i) {
    std::copy_n(x.row(scratch.undecided[i]), x.columns(), scratch.undecided_inputs.row(i));
  }
  allowed_.FindBest(scratch.undecided_inputs, LogSumExp::kLeaveOut, scratch.undecided_best,
                    products);
  for (int i = 0; i < undecided; ++i) best[scratch.undecided[i]] = scratch.undecided_best[i];
}

}  // namespace limpid::internal

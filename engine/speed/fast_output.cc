#include "engine/speed/fast_output.h"

#include <algorithm>

namespace limpid::internal {

FastOutput::FastOutput(const OutputLayer& output, bool drafts) : layer_(output.layer()) {
  if (output.packing().type == ComputeType::kFloat32 && IsSupported(ComputeType::kInt8)) {
    prefilter_.emplace(output.weights(), output.bad_words());
  }
  if (drafts) draft_.emplace(output.weights());
}

void FastOutput::ArgMax(const Matrix& x, const ActiveVocabulary& vocabulary, LogSumExp log_sum_exp,
                        FastOutputScratch& scratch, std::vector<MaxLogit>& best, Gemm& gemm) const {
  if (!vocabulary.is_whole()) {
    vocabulary.ArgMax(x, log_sum_exp, best, gemm);
  } else if (prefilter_.has_value() && log_sum_exp == LogSumExp::kLeaveOut) {
    ArgMaxWithPrefilter(x, scratch.prefilter, best, gemm);
  } else {
    layer_.ArgMax(x, log_sum_exp, best, gemm);
  }
}

// Runs the whole layer on the rows that the prefilter cannot decide.
void FastOutput::ArgMaxWithPrefilter(const Matrix& x, PrefilterScratch& scratch,
                                     std::vector<MaxLogit>& best, Gemm& gemm) const {
  prefilter_->ArgMax(x, best, scratch, gemm);
  const int rows = static_cast<int>(scratch.fallback_rows.size());
  if (rows == 0) return;
  scratch.fallback_inputs.Resize(rows, x.columns());
  for (int i = 0; i < rows; ++i) {
    std::copy_n(x.row(scratch.fallback_rows[i]), x.columns(), scratch.fallback_inputs.row(i));
  }
  layer_.ArgMax(scratch.fallback_inputs, LogSumExp::kLeaveOut, scratch.fallback_best, gemm);
  for (int i = 0; i < rows; ++i) best[scratch.fallback_rows[i]] = scratch.fallback_best[i];
}

}  // namespace limpid::internal

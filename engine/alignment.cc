#include "engine/alignment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid {
namespace {

// A link is mutual if its share is at least this part of the largest that its source has. Words
// that translate one word together, such as "hat" and "gekauft", have about the same. Chosen on
// half of the pairs of tests/golden/align-tatoeba; from 0.8 to 0.95 it makes little difference.
constexpr float kMutualShare = 0.9F;

// The words of a side, or its pieces.
struct Units {
  std::vector<int> of_token;  // which unit each token is part of; -1: of none
  int count = 0;
};

Units WordsOf(const TracedSide& side) {
  Units units;
  for (const TracedToken& token : side.tokens) units.of_token.push_back(token.word);
  units.count = static_cast<int>(side.words.size());
  return units;
}

Units PiecesOf(const TracedSide& side) {
  Units units;
  for (const TracedToken& token : side.tokens) {
    units.of_token.push_back(token.is_text ? units.count++ : -1);
  }
  return units;
}

// One place to read an alignment off.
struct View {
  const AttentionTrace* attention = nullptr;
  std::vector<size_t> heads;  // counted within attention->heads
  AlignmentRow row = AlignmentRow::kOutput;
};

absl::StatusOr<View> FindView(const SentenceTrace& trace, int layer, const std::vector<int>& heads,
                              AlignmentRow row) {
  View view;
  view.row = row;
  view.attention = trace.Find({AttentionKind::kCross, layer});
  if (view.attention == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the trace holds no cross-attention of layer ", layer));
  }
  const std::vector<int>& recorded = view.attention->heads;
  for (const int head : heads) {
    const auto found = std::find(recorded.begin(), recorded.end(), head);
    if (found == recorded.end()) {
      return absl::FailedPreconditionError(absl::StrCat(
          "the trace holds no head ", head, " of the cross-attention of layer ", layer));
    }
    view.heads.push_back(found - recorded.begin());
  }
  return view;
}

absl::StatusOr<std::vector<View>> FindViews(const SentenceTrace& trace,
                                            const AlignmentOptions& options) {
  const AlignmentOptions chosen = DefaultAlignment(trace, options);
  std::vector<View> views;
  const auto add = [&](int layer, const std::vector<int>& heads, AlignmentRow row) {
    const absl::StatusOr<View> view = FindView(trace, layer, heads, row);
    if (view.ok()) views.push_back(*view);
    return view.status();
  };
  absl::Status status = add(chosen.layer, chosen.heads, *chosen.row);
  const bool is_default = options.layer < 0 && options.heads.empty() && !options.row.has_value();
  if (is_default && trace.alignment_input_layer >= 0) {
    status.Update(
        add(trace.alignment_input_layer, {trace.alignment_input_head}, AlignmentRow::kInput));
  }
  if (!status.ok()) return status;
  return views;
}

// Adds `scale` times the share of each key to `shares` [keys]: of `values`, the row of some head.
void AddShares(const float* values, double scale, std::vector<double>& shares) {
  const double sum = std::accumulate(values, values + shares.size(), 0.0);
  if (sum <= 0) return;
  for (size_t key = 0; key < shares.size(); ++key) shares[key] += scale * values[key] / sum;
}

// The share of each source token in what a query takes in.
std::vector<double> SharesOf(const View& view, AlignmentMeasure measure, int query) {
  const AttentionTrace& attention = *view.attention;
  const size_t keys = attention.keys;
  std::vector<double> shares(keys);
  const bool norms = measure == AlignmentMeasure::kNorm;
  if (norms && view.heads.size() == attention.heads.size()) {
    AddShares(&attention.joint_norms[query * keys], 1, shares);
    return shares;
  }
  const std::vector<float>& values = norms ? attention.norms : attention.weights;
  for (const size_t head : view.heads) {
    const size_t row = head * attention.queries + query;
    AddShares(&values[row * keys], 1.0 / static_cast<double>(view.heads.size()), shares);
  }
  return shares;
}

// From sums over the pieces of each target to means.
void TakeMeans(const std::vector<int>& pieces, Alignment& alignment) {
  const size_t columns = alignment.sources + 1;
  for (int target = 0; target < alignment.targets; ++target) {
    float* row = &alignment.weights[target * columns];
    if (pieces[target] == 0 && target > 0) std::copy_n(row - columns, columns, row);
    for (size_t column = 0; column < columns && pieces[target] > 1; ++column) {
      row[column] /= static_cast<float>(pieces[target]);
    }
  }
}

Alignment EmptyAlignment(const Units& targets, const Units& sources) {
  Alignment alignment;
  alignment.targets = targets.count;
  alignment.sources = sources.count;
  alignment.weights.assign(static_cast<size_t>(targets.count) * (sources.count + 1), 0);
  return alignment;
}

absl::StatusOr<Alignment> AlignUnits(const SentenceTrace& trace, const AlignmentOptions& options,
                                     const Units& targets, const Units& sources) {
  const absl::StatusOr<std::vector<View>> views = FindViews(trace, options);
  if (!views.ok()) return views.status();
  Alignment alignment = EmptyAlignment(targets, sources);
  std::vector<int> pieces(targets.count);
  for (const View& view : *views) {
    if (options.measure == AlignmentMeasure::kNorm && view.attention->norms.empty()) {
      return absl::FailedPreconditionError("the trace holds no norms");
    }
    for (int token = 0; token < static_cast<int>(targets.of_token.size()); ++token) {
      const int target = targets.of_token[token];
      if (target < 0) continue;
      ++pieces[target];
      const bool next = view.row == AlignmentRow::kInput && token + 1 < view.attention->queries;
      const std::vector<double> shares = SharesOf(view, options.measure, next ? token + 1 : token);
      float* row = &alignment.weights[static_cast<size_t>(target) * (sources.count + 1)];
      for (size_t key = 0; key < shares.size(); ++key) {
        const int source = sources.of_token[key];
        row[source < 0 ? sources.count : source] += static_cast<float>(shares[key]);
      }
    }
  }
  TakeMeans(pieces, alignment);
  return alignment;
}

absl::StatusOr<Alignment> AlignByLeavingOut(const SentenceTrace& trace) {
  const Units targets = WordsOf(trace.target);
  const Units sources = WordsOf(trace.source);
  const size_t tokens = targets.of_token.size();
  if (trace.leave_one_out.size() != tokens * sources.count) {
    return absl::FailedPreconditionError("no source word was left out for the trace");
  }
  Alignment alignment = EmptyAlignment(targets, sources);
  std::vector<int> pieces(targets.count);
  const size_t columns = sources.count + 1;
  for (size_t token = 0; token < tokens; ++token) {
    const int target = targets.of_token[token];
    if (target < 0) continue;
    ++pieces[target];
    for (int source = 0; source < sources.count; ++source) {
      alignment.weights[target * columns + source] += trace.leave_one_out[source * tokens + token];
    }
  }
  TakeMeans(pieces, alignment);
  for (int target = 0; target < targets.count; ++target) {
    float* row = &alignment.weights[target * columns];
    for (int source = 0; source < sources.count; ++source) row[source] = std::max(row[source], 0.F);
    const float sum = std::accumulate(row, row + sources.count, 0.0F);
    row[sources.count] = sum > 0 ? 0.0F : 1.0F;
    for (int source = 0; source < sources.count && sum > 0; ++source) row[source] /= sum;
  }
  return alignment;
}

}  // namespace

AlignmentOptions DefaultAlignment(const SentenceTrace& trace, AlignmentOptions options) {
  if (!options.row.has_value()) options.row = AlignmentRow::kOutput;
  if (options.layer < 0 && trace.alignment_layer >= 0) {
    options.layer = trace.alignment_layer;
    if (options.heads.empty()) {
      options.heads.resize(trace.alignment_heads);
      std::iota(options.heads.begin(), options.heads.end(), 0);
    }
  }
  if (options.layer < 0) options.layer = std::max(0, trace.decoder_layers - 2);
  if (options.heads.empty()) {
    if (const AttentionTrace* attention = trace.Find({AttentionKind::kCross, options.layer})) {
      options.heads = attention->heads;
    }
  }
  return options;
}

TraceRequest AlignmentRequest(const AlignmentOptions& options) {
  TraceRequest request;
  request.kinds = {AttentionKind::kCross};
  if (options.layer >= 0) request.layers = {options.layer};
  request.scores = request.projections = request.context = request.output = false;
  request.head_output = false;
  request.norms = options.measure == AlignmentMeasure::kNorm;
  request.leave_one_out = options.measure == AlignmentMeasure::kLeaveOneOut;
  request.predictions = 0;
  return request;
}

absl::StatusOr<Alignment> AlignWords(const SentenceTrace& trace, const AlignmentOptions& options) {
  if (options.measure == AlignmentMeasure::kLeaveOneOut) return AlignByLeavingOut(trace);
  return AlignUnits(trace, options, WordsOf(trace.target), WordsOf(trace.source));
}

absl::StatusOr<Alignment> AlignPieces(const SentenceTrace& trace, const AlignmentOptions& options) {
  if (options.measure == AlignmentMeasure::kLeaveOneOut) {
    return absl::InvalidArgumentError("whole words are left out, never single pieces");
  }
  return AlignUnits(trace, options, PiecesOf(trace.target), PiecesOf(trace.source));
}

Alignment Concatenate(absl::Span<const Alignment> alignments) {
  Alignment all;
  for (const Alignment& alignment : alignments) {
    all.targets += alignment.targets;
    all.sources += alignment.sources;
  }
  const size_t columns = all.sources + 1;
  all.weights.assign(all.targets * columns, 0);
  size_t target = 0;
  size_t source = 0;
  for (const Alignment& alignment : alignments) {
    for (int i = 0; i < alignment.targets; ++i, ++target) {
      float* row = &all.weights[target * columns];
      std::copy_n(alignment.row(i), alignment.sources, row + source);
      row[all.sources] = alignment.nothing(i);
    }
    source += alignment.sources;
  }
  return all;
}

std::vector<std::pair<int, int>> Links(const Alignment& alignment, LinkRule rule) {
  std::vector<float> largest(alignment.sources);  // of each source's column
  for (int target = 0; target < alignment.targets; ++target) {
    for (int source = 0; source < alignment.sources; ++source) {
      largest[source] = std::max(largest[source], alignment.weight(target, source));
    }
  }
  std::vector<std::pair<int, int>> links;
  for (int target = 0; target < alignment.targets; ++target) {
    const float* row = alignment.row(target);
    const auto best = std::max_element(row, row + alignment.sources + 1) - row;
    if (best == alignment.sources) continue;
    if (rule == LinkRule::kMutual && row[best] < kMutualShare * largest[best]) continue;
    links.emplace_back(static_cast<int>(best), target);
  }
  return links;
}

std::string FormatPharaoh(const Alignment& alignment, LinkRule rule) {
  std::string text;
  for (const auto& [source, target] : Links(alignment, rule)) {
    absl::StrAppend(&text, text.empty() ? "" : " ", source, "-", target);
  }
  return text;
}

std::string FormatSoft(const Alignment& alignment) {
  std::string text;
  for (int target = 0; target < alignment.targets; ++target) {
    for (int source = 0; source <= alignment.sources; ++source) {
      const double share = std::round(alignment.weight(target, source) * 1e5) / 1e5;
      absl::StrAppend(&text, source > 0 ? "," : target > 0 ? " " : "", share);
    }
  }
  return text;
}

}  // namespace limpid

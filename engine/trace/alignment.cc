#include "limpid/alignment.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text.h"

namespace limpid {

using internal::ByteRange;
using internal::SplitWords;
using internal::WordsOfPieces;

namespace {

// kIntersection keeps a link if its share is at least this fraction of its source's largest share.
// Words that translate one word together, such as "hat" and "gekauft", have about equal shares.
// Tuned on half of the pairs in tests/golden/align-tatoeba; from 0.8 to 0.95 it matters little.
constexpr float kIntersectionShare = 0.9F;

// The units to align, words or pieces, and the units that one sentence's tokens belong to.
struct Units {
  std::vector<int> of_token;  // [tokens]: the unit of each token; -1: none
  std::vector<int> of_word;   // [words]: the same for the sentence's own words; empty for pieces
  int count = 0;              // units in the whole text
};

Units WordsOf(const TracedSide& side) {
  Units units;
  for (const TracedToken& token : side.tokens) units.of_token.push_back(token.word);
  units.count = static_cast<int>(side.words.size());
  units.of_word.resize(side.words.size());
  std::iota(units.of_word.begin(), units.of_word.end(), 0);
  return units;
}

// Numbers the pieces from `first`.
Units PiecesOf(const TracedSide& side, int first = 0) {
  Units units;
  units.count = first;
  for (const TracedToken& token : side.tokens) {
    units.of_token.push_back(token.is_text ? units.count++ : -1);
  }
  return units;
}

// For each part of a sentence that begins at `begin` in the text: the index of the first of `words`
// that shares bytes with it, or -1.
template <typename Part>
std::vector<int> WordsAt(size_t begin, const std::vector<Part>& parts,
                         absl::Span<const TracedWord> words) {
  std::vector<ByteRange> part_ranges;
  part_ranges.reserve(parts.size());
  for (const Part& part : parts) part_ranges.push_back({begin + part.begin, begin + part.end});
  std::vector<ByteRange> word_ranges;
  word_ranges.reserve(words.size());
  for (const TracedWord& word : words) word_ranges.push_back({word.begin, word.end});
  return WordsOfPieces(part_ranges, word_ranges);
}

// The units are the words of the whole text.
Units WordsOf(const TracedSide& side, absl::Span<const TracedWord> words) {
  return {WordsAt(side.begin, side.tokens, words), WordsAt(side.begin, side.words, words),
          static_cast<int>(words.size())};
}

// What an alignment is read from: some heads of one cross-attention, and the row for each target.
struct View {
  const AttentionTrace* attention = nullptr;
  std::vector<size_t> heads;  // indices into attention->heads
  AlignmentRow row = AlignmentRow::kOutput;
};

absl::StatusOr<View> FindView(const SentenceTrace& trace, int layer, const std::vector<int>& heads,
                              AlignmentRow row) {
  View view;
  view.row = row;
  view.attention = trace.Find({AttentionKind::kCross, layer});
  if (view.attention == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the trace has no cross-attention of layer ", layer));
  }
  const std::vector<int>& recorded = view.attention->heads;
  for (const int head : heads) {
    const auto found = std::find(recorded.begin(), recorded.end(), head);
    if (found == recorded.end()) {
      return absl::FailedPreconditionError(
          absl::StrCat("the trace has no head ", head, " of the cross-attention of layer ", layer));
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

// shares[key] += scale * values[key] / Σ values. `values` [keys] is a row of weights or norms.
void AddShares(const float* values, double scale, std::vector<double>& shares) {
  const double sum = std::accumulate(values, values + shares.size(), 0.0);
  if (sum <= 0) return;
  for (size_t key = 0; key < shares.size(); ++key) shares[key] += scale * values[key] / sum;
}

// The share of each source token in one query's attention, [keys].
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

// An unfinished alignment: each target's row is a sum over its pieces.
struct Sums {
  Sums(int targets, int sources) : pieces(targets) {
    alignment.targets = targets;
    alignment.sources = sources;
    alignment.weights.assign(static_cast<size_t>(targets) * (sources + 1), 0);
  }
  float* row(int target) {
    return &alignment.weights[static_cast<size_t>(target) * (alignment.sources + 1)];
  }
  Alignment alignment;
  std::vector<int> pieces;  // [targets]: number of pieces in each sum
};

absl::Status AddAttention(const SentenceTrace& trace, const AlignmentOptions& options,
                          const Units& targets, const Units& sources, Sums& sums) {
  const absl::StatusOr<std::vector<View>> views = FindViews(trace, options);
  if (!views.ok()) return views.status();
  for (const View& view : *views) {
    if (options.measure == AlignmentMeasure::kNorm && view.attention->norms.empty()) {
      return absl::FailedPreconditionError("the trace has no norms");
    }
    for (int token = 0; token < static_cast<int>(targets.of_token.size()); ++token) {
      const int target = targets.of_token[token];
      if (target < 0) continue;
      ++sums.pieces[target];
      const bool next = view.row == AlignmentRow::kInput && token + 1 < view.attention->queries;
      const std::vector<double> shares = SharesOf(view, options.measure, next ? token + 1 : token);
      float* row = sums.row(target);
      for (size_t key = 0; key < shares.size(); ++key) {
        const int source = sources.of_token[key];
        row[source < 0 ? sources.count : source] += static_cast<float>(shares[key]);
      }
    }
  }
  return absl::OkStatus();
}

absl::Status AddOcclusion(const SentenceTrace& trace, const Units& targets, const Units& sources,
                          Sums& sums) {
  const size_t tokens = targets.of_token.size();
  if (trace.occlusion.size() != tokens * sources.of_word.size()) {
    return absl::FailedPreconditionError("the trace has no occlusion");
  }
  for (size_t token = 0; token < tokens; ++token) {
    const int target = targets.of_token[token];
    if (target < 0) continue;
    ++sums.pieces[target];
    for (size_t word = 0; word < sources.of_word.size(); ++word) {
      const int source = sources.of_word[word];
      if (source >= 0) sums.row(target)[source] += trace.occlusion[word * tokens + token];
    }
  }
  return absl::OkStatus();
}

absl::Status AddSentence(const SentenceTrace& trace, const AlignmentOptions& options,
                         const Units& targets, const Units& sources, Sums& sums) {
  return options.measure == AlignmentMeasure::kOcclusion
             ? AddOcclusion(trace, targets, sources, sums)
             : AddAttention(trace, options, targets, sources, sums);
}

// Turns a row of decreases in log-probability into shares; negative decreases count as 0.
void ToShares(float* row, int sources) {
  for (int source = 0; source < sources; ++source) row[source] = std::max(row[source], 0.F);
  const float sum = std::accumulate(row, row + sources, 0.0F);
  row[sources] = sum > 0 ? 0.0F : 1.0F;
  for (int source = 0; source < sources && sum > 0; ++source) row[source] /= sum;
}

// Divides each sum by its number of pieces; with kOcclusion, also turns it into shares.
Alignment Finish(Sums sums, const AlignmentOptions& options) {
  const int columns = sums.alignment.sources + 1;
  for (int target = 0; target < sums.alignment.targets; ++target) {
    float* row = sums.row(target);
    const int pieces = sums.pieces[target];
    if (pieces == 0 && target > 0) std::copy_n(row - columns, columns, row);
    for (int column = 0; column < columns && pieces > 1; ++column) {
      row[column] /= static_cast<float>(pieces);
    }
    if (options.measure == AlignmentMeasure::kOcclusion) ToShares(row, sums.alignment.sources);
  }
  return std::move(sums.alignment);
}

absl::StatusOr<Alignment> AlignUnits(const SentenceTrace& trace, const AlignmentOptions& options,
                                     const Units& targets, const Units& sources) {
  Sums sums(targets.count, sources.count);
  if (absl::Status status = AddSentence(trace, options, targets, sources, sums); !status.ok()) {
    return status;
  }
  return Finish(std::move(sums), options);
}

// Aligns each word of a copied sentence with its original.
void LinkCopy(const CopiedText& copy, absl::Span<const TracedWord> source_words,
              absl::Span<const TracedWord> target_words, Alignment& alignment) {
  auto source = source_words.begin();
  const auto ends_by = [](size_t at) {
    return [at](const TracedWord& word) { return word.end <= at; };
  };
  auto target =
      std::partition_point(target_words.begin(), target_words.end(), ends_by(copy.target));
  for (; target != target_words.end() && target->begin < copy.target + copy.size; ++target) {
    const size_t at = copy.source + (std::max(target->begin, copy.target) - copy.target);
    source = std::partition_point(source, source_words.end(), ends_by(at));
    if (source == source_words.end()) return;
    const auto row = (target - target_words.begin()) * (alignment.sources + 1);
    std::fill_n(alignment.weights.begin() + row, alignment.sources + 1, 0.0F);
    alignment.weights[row + (source - source_words.begin())] = 1;
  }
}

absl::Status NoOcclusionOfPieces() {
  return absl::InvalidArgumentError("occlusion is measured for whole words, not for pieces");
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
  request.occlusion = options.measure == AlignmentMeasure::kOcclusion;
  request.predictions = 0;
  return request;
}

absl::StatusOr<Alignment> AlignWords(const SentenceTrace& trace, const AlignmentOptions& options) {
  return AlignUnits(trace, options, WordsOf(trace.target), WordsOf(trace.source));
}

absl::StatusOr<Alignment> AlignPieces(const SentenceTrace& trace, const AlignmentOptions& options) {
  if (options.measure == AlignmentMeasure::kOcclusion) return NoOcclusionOfPieces();
  return AlignUnits(trace, options, PiecesOf(trace.target), PiecesOf(trace.source));
}

std::vector<TracedWord> SplitIntoWords(std::string_view text) {
  std::vector<TracedWord> words;
  for (const ByteRange& word : SplitWords(text)) {
    words.push_back({std::string(word.In(text)), word.begin, word.end});
  }
  return words;
}

absl::StatusOr<Alignment> AlignText(absl::Span<const SentenceTrace> traces,
                                    absl::Span<const CopiedText> copies,
                                    absl::Span<const TracedWord> source_words,
                                    absl::Span<const TracedWord> target_words,
                                    const AlignmentOptions& options) {
  Sums sums(static_cast<int>(target_words.size()), static_cast<int>(source_words.size()));
  for (const SentenceTrace& trace : traces) {
    const absl::Status status = AddSentence(trace, options, WordsOf(trace.target, target_words),
                                            WordsOf(trace.source, source_words), sums);
    if (!status.ok()) return status;
  }
  Alignment alignment = Finish(std::move(sums), options);
  for (const CopiedText& copy : copies) LinkCopy(copy, source_words, target_words, alignment);
  return alignment;
}

absl::StatusOr<Alignment> AlignTextPieces(absl::Span<const SentenceTrace> traces,
                                          const AlignmentOptions& options) {
  if (options.measure == AlignmentMeasure::kOcclusion) return NoOcclusionOfPieces();
  std::vector<std::pair<Units, Units>> units;  // [sentences]: of the target, of the source
  Units targets;
  Units sources;
  for (const SentenceTrace& trace : traces) {
    targets = PiecesOf(trace.target, targets.count);
    sources = PiecesOf(trace.source, sources.count);
    units.emplace_back(targets, sources);
  }
  Sums sums(targets.count, sources.count);
  for (size_t i = 0; i < traces.size(); ++i) {
    // The null word's column comes after the sources of all sentences.
    units[i].second.count = sources.count;
    const absl::Status status =
        AddSentence(traces[i], options, units[i].first, units[i].second, sums);
    if (!status.ok()) return status;
  }
  return Finish(std::move(sums), options);
}

std::vector<std::pair<int, int>> Links(const Alignment& alignment, LinkRule rule) {
  std::vector<float> largest(alignment.sources);  // [sources]: the largest share of each
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
    if (rule == LinkRule::kIntersection && row[best] < kIntersectionShare * largest[best]) continue;
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

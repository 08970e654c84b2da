#include "engine/alignment.h"

#include <algorithm>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid {
namespace {

// The places of `heads` among those that were recorded; FailedPrecondition if one is missing.
absl::StatusOr<std::vector<size_t>> FindHeads(const AttentionTrace& attention,
                                              const std::vector<int>& heads) {
  std::vector<size_t> places;
  for (const int head : heads) {
    const auto found = std::find(attention.heads.begin(), attention.heads.end(), head);
    if (found == attention.heads.end()) {
      return absl::FailedPreconditionError(absl::StrCat("the trace holds no head ", head,
                                                        " of the cross-attention of layer ",
                                                        attention.site.layer));
    }
    places.push_back(found - attention.heads.begin());
  }
  return places;
}

}  // namespace

AlignmentOptions DefaultAlignment(const SentenceTrace& trace, AlignmentOptions options) {
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

absl::StatusOr<Alignment> AlignWords(const SentenceTrace& trace, const AlignmentOptions& options) {
  const AlignmentOptions chosen = DefaultAlignment(trace, options);
  const AttentionTrace* attention = trace.Find({AttentionKind::kCross, chosen.layer});
  if (attention == nullptr) {
    return absl::FailedPreconditionError(
        absl::StrCat("the trace holds no cross-attention of layer ", chosen.layer));
  }
  const absl::StatusOr<std::vector<size_t>> heads = FindHeads(*attention, chosen.heads);
  if (!heads.ok()) return heads.status();

  Alignment alignment;
  alignment.targets = static_cast<int>(trace.target.words.size());
  alignment.sources = static_cast<int>(trace.source.words.size());
  const size_t columns = alignment.sources + 1;
  alignment.weights.assign(alignment.targets * columns, 0);
  std::vector<int> pieces(alignment.targets);
  for (int token = 0; token < static_cast<int>(trace.target.tokens.size()); ++token) {
    const int target = trace.target.tokens[token].word;
    if (target < 0) continue;
    ++pieces[target];
    // A translation that was cut off has no row in which its last token is the input.
    const bool next = options.row == AlignmentRow::kInput && token + 1 < attention->queries;
    const int query = next ? token + 1 : token;
    for (int key = 0; key < attention->keys; ++key) {
      const int word = trace.source.tokens[key].word;
      float& sum = alignment.weights[target * columns + (word < 0 ? alignment.sources : word)];
      for (const size_t head : *heads) {
        sum += attention->weight(head, query, key) / static_cast<float>(heads->size());
      }
    }
  }
  for (int target = 0; target < alignment.targets; ++target) {
    float* row = &alignment.weights[target * columns];
    if (pieces[target] == 0 && target > 0) std::copy_n(row - columns, columns, row);
    for (int column = 0; column <= alignment.sources && pieces[target] > 1; ++column) {
      row[column] /= static_cast<float>(pieces[target]);
    }
  }
  return alignment;
}

std::string FormatPharaoh(const Alignment& alignment) {
  std::string links;
  for (int target = 0; target < alignment.targets; ++target) {
    const float* row = alignment.row(target);
    const auto best = std::max_element(row, row + alignment.sources + 1) - row;
    if (best == alignment.sources) continue;
    absl::StrAppend(&links, links.empty() ? "" : " ", best, "-", target);
  }
  return links;
}

}  // namespace limpid

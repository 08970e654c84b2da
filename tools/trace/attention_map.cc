#include "tools/trace/attention_map.h"

#include <algorithm>
#include <cstddef>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

namespace limpid::internal {
namespace {

constexpr char kStart[] = "(start)";
constexpr char kEnd[] = "(end)";

// The labels of rows or columns, and the row or column of each token.
struct Axis {
  std::vector<std::string> labels;
  std::vector<int> of_token;
};

Axis PieceAxis(const TracedSide& side) {
  Axis axis;
  for (const TracedToken& token : side.tokens) {
    axis.of_token.push_back(static_cast<int>(axis.labels.size()));
    axis.labels.push_back(token.piece);
  }
  return axis;
}

// Words in order, then the tokens outside of words: usually the end of the sentence.
Axis WordAxis(const TracedSide& side) {
  Axis axis;
  for (const TracedWord& word : side.words) axis.labels.push_back(word.text);
  for (const TracedToken& token : side.tokens) {
    axis.of_token.push_back(token.word < 0 ? static_cast<int>(axis.labels.size()) : token.word);
    if (token.word >= 0) continue;
    const bool is_end = !token.is_text && &token == &side.tokens.back();
    axis.labels.push_back(is_end ? kEnd : token.piece);
  }
  return axis;
}

Axis AxisOf(const TracedSide& side, Level level) {
  return level == Level::kPiece ? PieceAxis(side) : WordAxis(side);
}

// The decoder's inputs: the start, then the target tokens but the last.
Axis InputAxis(const SentenceTrace& trace, Level level) {
  TracedSide inputs = trace.target;
  inputs.tokens.pop_back();
  Axis axis = AxisOf(inputs, level);
  axis.labels.insert(axis.labels.begin(),
                     level == Level::kPiece ? DecoderInputName(trace, 0) : kStart);
  for (int& place : axis.of_token) ++place;
  axis.of_token.insert(axis.of_token.begin(), 0);
  return axis;
}

Axis QueryAxis(const SentenceTrace& trace, const AttentionChoice& choice, Level level) {
  if (choice.kind == AttentionKind::kEncoder) return AxisOf(trace.source, level);
  return choice.row == AlignmentRow::kInput ? InputAxis(trace, level) : AxisOf(trace.target, level);
}

// Sums over the tokens of a column; averages over the tokens of a row and over heads.
void Fill(const ChosenAttention& chosen, const Axis& rows, const Axis& columns, HeatMap* map) {
  map->rows = rows.labels;
  map->columns = columns.labels;
  map->shares.assign(map->rows.size() * map->columns.size(), 0);
  std::vector<int> tokens(map->rows.size());
  for (const int row : rows.of_token) ++tokens[row];
  for (int query = 0; query < chosen.attention->queries; ++query) {
    const size_t row = rows.of_token[query];
    const float parts = static_cast<float>(chosen.heads.size()) * static_cast<float>(tokens[row]);
    for (int key = 0; key < chosen.attention->keys; ++key) {
      float& share = map->shares[row * map->columns.size() + columns.of_token[key]];
      for (const int head : chosen.heads) {
        share += chosen.attention->weight(head, query, key) / parts;
      }
    }
  }
  // A word that shares its only piece with the previous word gets a copy of that word's row.
  const size_t width = map->columns.size();
  for (size_t row = 1; row < map->rows.size(); ++row) {
    if (tokens[row] > 0) continue;
    std::copy_n(&map->shares[(row - 1) * width], width, &map->shares[row * width]);
  }
}

absl::StatusOr<HeatMap> MapAlignment(const SentenceTrace& trace, const AlignmentOptions& options) {
  const absl::StatusOr<Alignment> alignment = AlignWords(trace, options);
  if (!alignment.ok()) return alignment.status();
  HeatMap map;
  for (const TracedWord& word : trace.target.words) map.rows.push_back(word.text);
  for (const TracedWord& word : trace.source.words) map.columns.push_back(word.text);
  map.columns.emplace_back(kNullWord);
  map.shares = alignment->weights;
  return map;
}

// "mean of heads 1, 3"
std::string NameOfHeads(const ChosenAttention& chosen) {
  if (chosen.heads.size() == 1) return absl::StrCat("head ", chosen.heads[0]);
  if (chosen.heads == chosen.attention->heads) return "mean of all heads";
  return absl::StrCat("mean of heads ", absl::StrJoin(chosen.heads, ", "));
}

// Describes the shares in a title: `subject` are its rows, `object` its columns.
std::string DescribeShares(AlignmentMeasure measure, const std::string& subject,
                           const std::string& object) {
  switch (measure) {
    case AlignmentMeasure::kWeight:
      return absl::StrCat("attention from ", subject, " to ", object);
    case AlignmentMeasure::kNorm:
      return absl::StrCat("norm of what ", subject, " receives from ", object);
    case AlignmentMeasure::kOcclusion:
      return absl::StrCat("drop in probability of ", subject, " without each word of ", object);
  }
  return "";
}

// `is_alignment`: whether the map is of words by cross-attention.
std::string Title(const SentenceTrace& trace, const AttentionChoice& choice,
                  const ChosenAttention& chosen, Level level, bool is_alignment) {
  const std::string units = level == Level::kWord ? "word" : "piece";
  const bool is_default =
      choice.layer == kDefaultLayer && choice.head == kDefaultHead && !choice.row.has_value();
  std::string name = AttentionName(choice.kind);
  name[0] = static_cast<char>(name[0] - 'a' + 'A');
  if (is_alignment && choice.measure == AlignmentMeasure::kOcclusion) {
    name = "Occlusion";
  } else if (is_alignment && is_default && trace.alignment_input_layer >= 0) {
    absl::StrAppend(&name, ", alignment heads");
  } else {
    absl::StrAppend(&name, ", layer ", chosen.attention->id.layer, ", ", NameOfHeads(chosen));
  }
  const bool encoder = choice.kind == AttentionKind::kEncoder;
  const std::string rows = encoder                              ? " of the source"
                           : choice.row == AlignmentRow::kInput ? " of the decoder's input"
                                                                : " of the translation";
  const std::string columns = encoder                                ? "the source itself"
                              : choice.kind == AttentionKind::kCross ? "the source"
                                                                     : "the decoder's input so far";
  return absl::StrCat(
      name, ": ",
      DescribeShares(is_alignment ? choice.measure : AlignmentMeasure::kWeight,
                     absl::StrCat("each ", units, rows, " (rows)"), columns + " (columns)"),
      ", in percent");
}

}  // namespace

std::string AttentionName(AttentionKind kind) {
  const std::string name(AttentionKindName(kind));
  return name + (kind == AttentionKind::kCross ? "-attention" : " self-attention");
}

std::string DecoderInputName(const SentenceTrace& trace, int input) {
  if (input > 0) return trace.target.tokens[static_cast<size_t>(input) - 1].piece;
  return trace.decoder_start.empty() ? kStart : trace.decoder_start;
}

int VisibleKeys(const AttentionTrace& attention, int query) {
  return attention.id.kind == AttentionKind::kDecoder ? query + 1 : attention.keys;
}

absl::StatusOr<ChosenAttention> Choose(const SentenceTrace& trace, const AttentionChoice& choice) {
  const auto layers = static_cast<int>(
      std::count_if(trace.attentions.begin(), trace.attentions.end(),
                    [&](const AttentionTrace& one) { return one.id.kind == choice.kind; }));
  ChosenAttention chosen;
  AlignmentOptions options;
  options.layer = choice.layer;
  if (choice.kind == AttentionKind::kCross) {
    options = DefaultAlignment(trace, options);
  } else if (choice.layer == kDefaultLayer) {
    options.layer = layers - 1;
  }
  chosen.attention = trace.Find({choice.kind, options.layer});
  if (layers == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("this model has no ", AttentionName(choice.kind),
                     choice.kind == AttentionKind::kDecoder
                         ? ": its decoder uses a recurrent unit (SSRU) instead"
                         : ""));
  }
  if (chosen.attention == nullptr) {
    return absl::InvalidArgumentError(absl::StrCat("no layer ", options.layer, " of ",
                                                   AttentionName(choice.kind),
                                                   ": its layers are 0 to ", layers - 1));
  }
  const std::vector<int>& all = chosen.attention->heads;
  const bool has_head = std::find(all.begin(), all.end(), choice.head) != all.end();
  if (choice.head >= 0 && !has_head) {
    return absl::InvalidArgumentError(
        absl::StrCat("no head ", choice.head, " of ", AttentionName(choice.kind),
                     ": each layer's heads are 0 to ", all.size() - 1));
  }
  chosen.heads = has_head                                               ? std::vector{choice.head}
                 : choice.head == kMeanOfHeads || options.heads.empty() ? all
                                                                        : options.heads;
  return chosen;
}

AlignmentOptions AlignmentOptionsOf(const SentenceTrace& trace, const AttentionChoice& choice) {
  AlignmentOptions options;
  options.measure = choice.measure;
  if (choice.kind != AttentionKind::kCross) return options;
  options.layer = choice.layer;
  options.row = choice.row;
  if (choice.head >= 0) {
    options.heads = {choice.head};
  } else if (choice.head == kMeanOfHeads) {
    const int layer = DefaultAlignment(trace, options).layer;
    if (const AttentionTrace* attention = trace.Find({AttentionKind::kCross, layer})) {
      options.heads = attention->heads;
    }
  }
  return options;
}

absl::StatusOr<HeatMap> MapAttention(const SentenceTrace& trace, const AttentionChoice& choice,
                                     Level level) {
  const absl::StatusOr<ChosenAttention> chosen = Choose(trace, choice);
  if (!chosen.ok()) return chosen.status();
  HeatMap map;
  const bool is_alignment = choice.kind == AttentionKind::kCross && level == Level::kWord;
  if (is_alignment) {
    absl::StatusOr<HeatMap> aligned = MapAlignment(trace, AlignmentOptionsOf(trace, choice));
    if (!aligned.ok()) return aligned.status();
    map = *std::move(aligned);
  } else {
    const bool decoder = choice.kind == AttentionKind::kDecoder;
    Fill(*chosen, QueryAxis(trace, choice, level),
         decoder ? InputAxis(trace, level) : AxisOf(trace.source, level), &map);
  }
  map.title = Title(trace, choice, *chosen, level, is_alignment);
  return map;
}

}  // namespace limpid::internal

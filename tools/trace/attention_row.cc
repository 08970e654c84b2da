#include "tools/trace/attention_row.h"

#include <algorithm>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tools/trace/attention_map.h"

namespace limpid::internal {
namespace {

// Returns the first tokens of all occurrences of `word`.
std::vector<TokenPosition> PositionsOfWord(absl::Span<const SentenceTrace> traces,
                                           AttentionKind kind, const std::string& word) {
  std::vector<TokenPosition> positions;
  for (size_t sentence = 0; sentence < traces.size(); ++sentence) {
    const TracedSide& side = QuerySide(traces[sentence], kind);
    int token = 0;  // a word without a piece shares that of the previous word
    for (size_t i = 0; i < side.words.size(); ++i) {
      const auto first = std::find_if(side.tokens.begin(), side.tokens.end(),
                                      [&](const auto& t) { return t.word == static_cast<int>(i); });
      if (first != side.tokens.end()) token = static_cast<int>(first - side.tokens.begin());
      if (side.words[i].text == word) positions.push_back({sentence, token});
    }
  }
  return positions;
}

std::vector<TokenPosition> PositionsOfPiece(absl::Span<const SentenceTrace> traces,
                                            AttentionKind kind, const std::string& piece) {
  std::vector<TokenPosition> positions;
  for (size_t sentence = 0; sentence < traces.size(); ++sentence) {
    const std::vector<TracedToken>& tokens = QuerySide(traces[sentence], kind).tokens;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].piece == piece) positions.push_back({sentence, static_cast<int>(i)});
    }
  }
  return positions;
}

std::vector<TokenPosition> PositionsOf(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                                       const std::string& text) {
  std::vector<TokenPosition> positions = PositionsOfWord(traces, kind, text);
  return positions.empty() ? PositionsOfPiece(traces, kind, text) : positions;
}

absl::Status NoSuchWord(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                        const std::string& text) {
  std::vector<std::string> words;
  for (const SentenceTrace& trace : traces) {
    for (const TracedWord& word : QuerySide(trace, kind).words) words.push_back(word.text);
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "no word '", text, "' in the ", kind == AttentionKind::kEncoder ? "source" : "translation",
      "; its words are: ", absl::StrJoin(words, " ")));
}

}  // namespace

const TracedSide& QuerySide(const SentenceTrace& trace, AttentionKind kind) {
  return kind == AttentionKind::kEncoder ? trace.source : trace.target;
}

absl::StatusOr<TokenPosition> FindWord(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                                       const std::string& text) {
  std::vector<TokenPosition> positions = PositionsOf(traces, kind, text);
  if (!positions.empty()) return positions[0];
  const size_t colon = text.rfind(':');
  size_t number = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(text.substr(colon + 1), &number)) {
    return NoSuchWord(traces, kind, text);
  }
  const std::string word = text.substr(0, colon);
  positions = PositionsOf(traces, kind, word);
  if (positions.empty()) return NoSuchWord(traces, kind, word);
  if (number >= 1 && number <= positions.size()) return positions[number - 1];
  return absl::InvalidArgumentError(
      absl::StrCat("no '", text, "': '", word, "' occurs ",
                   positions.size() == 1 ? "once" : absl::StrCat(positions.size(), " times")));
}

int AttentionRow::visible_keys() const { return VisibleKeys(attention_, query_); }

std::string AttentionRow::KeyName(int key) const {
  return kind() == AttentionKind::kDecoder ? DecoderInputName(trace_, key)
                                           : trace_.source.tokens[key].piece;
}

AttentionRow::Numbers AttentionRow::output() const {
  const size_t model_dim = attention_.output.size() / attention_.queries;
  return Numbers(attention_.output).subspan(query_ * model_dim, model_dim);
}

AttentionRow::Numbers AttentionRow::head_output(int head) const {
  const size_t model_dim = output().size();
  return Numbers(attention_.head_output)
      .subspan(Index(head, query_, attention_.queries) * model_dim, model_dim);
}

}  // namespace limpid::internal

#include "tools/trace/explain.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tokenizer/text.h"
#include "tools/terminal.h"
#include "tools/trace/attention_row.h"

namespace limpid::internal {
namespace {

using Numbers = AttentionRow::Numbers;

double Dot(Numbers a, Numbers b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}
double Norm(Numbers a) { return std::sqrt(Dot(a, a)); }

// Prose and tables, fitted to a width.
class Text {
 public:
  explicit Text(int width)
      : width_(width),
        indent_(IsNarrow() ? 1 : 3),
        name_width_(IsNarrow() ? 7 : 12),
        column_width_(IsNarrow() ? 8 : 10) {}

  void Heading(const std::string& text) { absl::StrAppend(&text_, "\n", Wrap(text, width_, 0)); }
  void Say(const std::string& text) { absl::StrAppend(&text_, Wrap(text, width_, indent_)); }
  void Line(const std::string& text) {
    const std::string line = std::string(static_cast<size_t>(indent_), ' ') + text;
    absl::StrAppend(&text_, line.substr(0, line.find_last_not_of(' ') + 1), "\n");
  }
  void Gap() { text_ += '\n'; }

  // The cells of tables.
  std::string Name(const std::string& name) const {
    return Cell(name, name_width_, Justify::kLeft);
  }
  std::string Column(const std::string& text) const {
    return Cell(text, column_width_, Justify::kRight);
  }
  std::string Column(double number, int decimals) const {
    return Column(Rounded(number, decimals));
  }
  std::string Percent(double share) const { return Column(Rounded(100 * share, 1) + "%"); }
  // Formats the first numbers that fit, times `scale`: "[  0.12 -0.34 ..]".
  std::string First(Numbers numbers, double scale = 1) const {
    const size_t shown = std::min<size_t>(numbers.size(), IsNarrow() ? 1 : 3);
    std::string text = "[";
    for (size_t i = 0; i < shown; ++i) {
      absl::StrAppendFormat(&text, "%6s", Rounded(scale * numbers[i], 2));
    }
    return text + (shown < numbers.size() ? " ..]" : "]");
  }

  const std::string& text() const { return text_; }

 private:
  bool IsNarrow() const { return width_ < 72; }
  static std::string Rounded(double number, int decimals) {
    std::string text = absl::StrFormat("%.*f", decimals, number);
    // Turns -0 into 0.
    if (text.find_first_not_of("-0.") == std::string::npos && text[0] == '-') text.erase(0, 1);
    return text;
  }

  int width_;
  int indent_;
  int name_width_;
  int column_width_;
  std::string text_;
};

std::string InQuotes(const std::string& piece) {
  return absl::StrCat("\"", IsolatedForDisplay(piece), "\"");
}

void ExplainQuery(const AttentionRow& row, Text* text) {
  const size_t model_dim = row.output().size();
  std::string subject;
  if (row.kind() == AttentionKind::kEncoder) {
    text->Heading("1. The query, Q: from the SOURCE");
    subject = absl::StrCat("The token ", InQuotes(row.KeyName(row.query())),
                           " attends to its own sentence. Its vector");
  } else {
    text->Heading("1. The query, Q: from the TARGET");
    subject = absl::StrCat(
        "The decoder's latest input is ", InQuotes(DecoderInputName(row.trace(), row.query())),
        row.query() == 0 ? ", the start, from which it predicts " : ", from which it predicts ",
        InQuotes(row.trace().target.tokens[row.query()].piece), ". Its vector");
  }
  text->Say(absl::StrCat(subject, " in the residual stream has ", model_dim,
                         " numbers. Multiplied by this head's matrix W_q, plus a bias, it becomes "
                         "the query of ",
                         row.q().size(), " numbers, which says what to look for:"));
  text->Gap();
  text->Line(
      absl::StrCat("q = ", text->First(row.q()), absl::StrFormat("  norm %.2f", Norm(row.q()))));
}

void ExplainKeys(const AttentionRow& row, Text* text) {
  switch (row.kind()) {
    case AttentionKind::kEncoder:
      text->Heading("2. The keys, K: from the SOURCE too");
      text->Say(
          "Each token of the sentence, including this one, has a key: its vector times W_k, plus a "
          "bias.");
      break;
    case AttentionKind::kDecoder:
      text->Heading("2. The keys, K: from the TARGET too");
      text->Say(
          "Each decoder input so far, including the latest, has a key: its vector times W_k, plus "
          "a "
          "bias.");
      break;
    case AttentionKind::kCross:
      text->Heading("2. The keys, K: from the SOURCE");
      text->Say(
          "Each token of the source has a key: its vector in the encoder's output times W_k, plus "
          "a "
          "bias. Keys are computed once per sentence and used at all steps of the decoder.");
      break;
  }
}

void ListMaskedKeys(const AttentionRow& row, Text* text) {
  std::vector<std::string> later;
  for (int key = row.visible_keys(); key < row.attention().keys; ++key) {
    later.push_back(IsolatedForDisplay(row.KeyName(key)));
  }
  if (later.empty()) return;
  text->Gap();
  text->Say(absl::StrCat("Masked, with a weight of exactly 0, because these tokens come later: ",
                         absl::StrJoin(later, "  ")));
}

void ExplainWeights(const AttentionRow& row, Text* text) {
  text->Say(absl::StrFormat(
      "The score of a key is the dot product q·k divided by √%d = %.4g, which keeps scores "
      "independent of the number of dimensions. Softmax turns scores into weights: e^score, "
      "divided "
      "by the sum over all keys. (The maximum is subtracted from all scores first, which changes "
      "no "
      "weight.)",
      row.q().size(), std::sqrt(static_cast<double>(row.q().size()))));
  text->Gap();
  text->Line(absl::StrCat(text->Name("key"), text->Column("q·k"), text->Column("score"),
                          text->Column("e^score"), text->Column("weight")));
  float best = -std::numeric_limits<float>::infinity();
  for (int key = 0; key < row.visible_keys(); ++key) best = std::max(best, row.score(key));
  double powers = 0;
  double weights = 0;
  for (int key = 0; key < row.visible_keys(); ++key) {
    const double power = std::exp(static_cast<double>(row.score(key)) - best);
    const double weight = row.weight(row.head(), key);
    powers += power;
    weights += weight;
    text->Line(absl::StrCat(text->Name(row.KeyName(key)), text->Column(Dot(row.q(), row.k(key)), 3),
                            text->Column(row.score(key), 3), text->Column(power, 3),
                            text->Percent(weight)));
  }
  text->Line(absl::StrCat(text->Name("sum"), text->Column(""), text->Column(""),
                          text->Column(powers, 3), text->Percent(weights)));
  ListMaskedKeys(row, text);
}

void ExplainValues(const AttentionRow& row, Text* text) {
  text->Heading(absl::StrCat("3. The values, V: from the ",
                             row.kind() == AttentionKind::kDecoder ? "TARGET" : "SOURCE",
                             ", like the keys"));
  text->Say(
      "Each of these tokens also has a value: its vector times a third matrix, W_v, plus a bias. "
      "It "
      "is what the token contributes. The sum of all values, each times its weight, is the head's "
      "context.");
  text->Gap();
  const auto wide = static_cast<int>(text->First(row.context()).size());
  text->Line(absl::StrCat(text->Name("value"), text->Column("weight"), " ",
                          Cell("v", wide, Justify::kLeft), " weight · v"));
  for (int key = 0; key < row.visible_keys(); ++key) {
    const float weight = row.weight(row.head(), key);
    text->Line(absl::StrCat(text->Name(row.KeyName(key)), text->Percent(weight), " ",
                            text->First(row.v(key)), " ", text->First(row.v(key), weight)));
  }
  text->Line(absl::StrCat(text->Name("context"), text->Column(""), " ",
                          Cell("", wide, Justify::kLeft), " ", text->First(row.context())));
}

// Formats the key with the largest weight in a head.
std::string TopKey(const AttentionRow& row, int head, const Text& text) {
  int best = 0;
  for (int key = 1; key < row.visible_keys(); ++key) {
    if (row.weight(head, key) > row.weight(head, best)) best = key;
  }
  return text.Name(row.KeyName(best)) + text.Percent(row.weight(head, best));
}

void ExplainHeads(const AttentionRow& row, Text* text) {
  text->Heading("4. The heads, combined");
  text->Say(absl::StrFormat(
      "The layer's %d heads do this in parallel, each with its own W_q, W_k and W_v, so that each "
      "can look for something else. Their contexts are concatenated (%d × %d numbers) and "
      "multiplied "
      "by W_o; plus a bias, this is the output, which is added to the residual stream. It is the "
      "sum "
      "of one part per head and the bias:",
      row.heads(), row.heads(), row.attention().head_dim));
  text->Gap();
  text->Line(absl::StrCat("head  ", text->Name("top key"), text->Column("weight"),
                          text->Column("norm"), text->Column("share")));
  const Numbers output = row.output();
  const double whole = Dot(output, output);
  std::vector<float> bias(output.begin(), output.end());
  double shares = 0;
  const auto line = [&](const std::string& name, Numbers part) {
    const double share = whole > 0 ? Dot(part, output) / whole : 0;
    shares += share;
    text->Line(absl::StrCat(name, text->Column(Norm(part), 2), text->Percent(share)));
  };
  for (int head = 0; head < row.heads(); ++head) {
    const Numbers part = row.head_output(head);
    std::transform(bias.begin(), bias.end(), part.begin(), bias.begin(), std::minus<>());
    line(absl::StrFormat("%3d%c  %s", head, head == row.head() ? '*' : ' ',
                         TopKey(row, head, *text)),
         part);
  }
  const std::string nothing = text->Name("") + text->Column("");
  line("bias  " + nothing, bias);
  text->Line(absl::StrCat("all   ", nothing, text->Column(Norm(output), 2), text->Percent(shares)));
  text->Gap();
  text->Line(absl::StrCat("output = ", text->First(output)));
  text->Gap();
  text->Say(
      "* is the head explained above. A part's share is (part·output) / (output·output), its "
      "projection onto the output; below 0, it points the other way.");
}

void CompareKinds(const AttentionRow& row, Text* text) {
  text->Heading(
      "All three attentions use the same arithmetic. They differ in where Q, K and V come from:");
  constexpr AttentionKind kKinds[] = {AttentionKind::kEncoder, AttentionKind::kDecoder,
                                      AttentionKind::kCross};
  constexpr const char* kFrom[] = {"Q, K, V: source", "Q, K, V: target so far",
                                   "Q: target; K, V: source"};
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    text->Line(absl::StrFormat("%s %-9s %s", kKinds[i] == row.kind() ? ">" : " ",
                               std::string(AttentionKindName(kKinds[i])), kFrom[i]));
  }
  text->Say("Choose another with --attention, --layer and --head.");
}

// Names a token: "liebe", or "gekauft" (piece 1 of 2: ▁gek auft).
std::string Subject(const TracedSide& side, int token) {
  const int word = side.tokens[token].word;
  if (word < 0) return InQuotes(side.tokens[token].piece);
  std::vector<std::string> pieces;
  size_t number = 0;
  for (size_t i = 0; i < side.tokens.size(); ++i) {
    if (side.tokens[i].word != word) continue;
    pieces.push_back(side.tokens[i].piece);
    if (static_cast<int>(i) == token) number = pieces.size();
  }
  std::string subject = InQuotes(side.words[word].text);
  if (pieces.size() > 1) {
    absl::StrAppend(&subject, " (piece ", number, " of ", pieces.size(), ": ",
                    absl::StrJoin(pieces, " "), ")");
  }
  return subject;
}

}  // namespace

absl::StatusOr<std::string> Explain(absl::Span<const SentenceTrace> traces,
                                    const AttentionChoice& choice, const std::string& word,
                                    int width) {
  const absl::StatusOr<TokenPosition> position = FindWord(traces, choice.kind, word);
  if (!position.ok()) return position.status();
  const SentenceTrace& trace = traces[position->sentence];
  const absl::StatusOr<ChosenAttention> chosen = Choose(trace, choice);
  if (!chosen.ok()) return chosen.status();
  const bool later = choice.kind != AttentionKind::kEncoder && choice.row == AlignmentRow::kInput;
  const int query = position->token + (later ? 1 : 0);
  if (query >= chosen->attention->queries) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", word, "' ends the translation, so it is never a decoder input; use --row=output"));
  }
  const AttentionRow row(trace, *chosen->attention, chosen->heads[0], query);
  Text text(width);
  text.Heading(absl::StrCat("How ", Subject(QuerySide(trace, choice.kind), position->token), " is ",
                            choice.kind == AttentionKind::kEncoder ? "encoded"
                            : later                                ? "used as input"
                                                                   : "predicted",
                            ": ", AttentionName(choice.kind), ", layer ",
                            chosen->attention->id.layer, ", head ", row.head()));
  ExplainQuery(row, &text);
  ExplainKeys(row, &text);
  ExplainWeights(row, &text);
  ExplainValues(row, &text);
  ExplainHeads(row, &text);
  CompareKinds(row, &text);
  return absl::StrCat(IsolatedForDisplay(trace.source.text), "\n",
                      IsolatedForDisplay(trace.target.text), "\n", text.text());
}

}  // namespace limpid::internal

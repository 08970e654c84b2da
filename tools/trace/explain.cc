#include "tools/trace/explain.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <functional>
#include <iterator>
#include <limits>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "tokenizer/text.h"
#include "tools/terminal.h"

namespace limpid::internal {
namespace {

using Numbers = absl::Span<const float>;

double Dot(Numbers a, Numbers b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
  return sum;
}
double Length(Numbers a) { return std::sqrt(Dot(a, a)); }

// ---- Which row the word means ----

const TracedSide& SideOf(const SentenceTrace& trace, AttentionKind kind) {
  return kind == AttentionKind::kEncoder ? trace.source : trace.target;
}

struct Place {
  size_t sentence = 0;
  int token = 0;
};

// The tokens at which `word` begins, of all sentences.
std::vector<Place> PlacesOfWord(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                                const std::string& word) {
  std::vector<Place> places;
  for (size_t sentence = 0; sentence < traces.size(); ++sentence) {
    const TracedSide& side = SideOf(traces[sentence], kind);
    int token = 0;  // of the words up to here: one without a piece shares that of the word before
    for (size_t i = 0; i < side.words.size(); ++i) {
      const auto first = std::find_if(side.tokens.begin(), side.tokens.end(),
                                      [&](const auto& t) { return t.word == static_cast<int>(i); });
      if (first != side.tokens.end()) token = static_cast<int>(first - side.tokens.begin());
      if (side.words[i].text == word) places.push_back({sentence, token});
    }
  }
  return places;
}

std::vector<Place> PlacesOfPiece(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                                 const std::string& piece) {
  std::vector<Place> places;
  for (size_t sentence = 0; sentence < traces.size(); ++sentence) {
    const std::vector<TracedToken>& tokens = SideOf(traces[sentence], kind).tokens;
    for (size_t i = 0; i < tokens.size(); ++i) {
      if (tokens[i].piece == piece) places.push_back({sentence, static_cast<int>(i)});
    }
  }
  return places;
}

std::vector<Place> PlacesOf(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                            const std::string& text) {
  std::vector<Place> places = PlacesOfWord(traces, kind, text);
  return places.empty() ? PlacesOfPiece(traces, kind, text) : places;
}

absl::Status NoSuchWord(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                        const std::string& text) {
  std::vector<std::string> words;
  for (const SentenceTrace& trace : traces) {
    for (const TracedWord& word : SideOf(trace, kind).words) words.push_back(word.text);
  }
  return absl::InvalidArgumentError(
      absl::StrCat("there is no word '", text, "' in the ",
                   kind == AttentionKind::kEncoder ? "source" : "translation",
                   "; its words are: ", absl::StrJoin(words, " ")));
}

absl::StatusOr<Place> FindWord(absl::Span<const SentenceTrace> traces, AttentionKind kind,
                               const std::string& text) {
  std::vector<Place> places = PlacesOf(traces, kind, text);
  if (!places.empty()) return places[0];
  const size_t colon = text.rfind(':');
  size_t number = 0;
  if (colon == std::string::npos || !absl::SimpleAtoi(text.substr(colon + 1), &number)) {
    return NoSuchWord(traces, kind, text);
  }
  const std::string word = text.substr(0, colon);
  places = PlacesOf(traces, kind, word);
  if (places.empty()) return NoSuchWord(traces, kind, word);
  if (number >= 1 && number <= places.size()) return places[number - 1];
  return absl::InvalidArgumentError(absl::StrCat("'", word, "' is there ", places.size(),
                                                 places.size() == 1 ? " time" : " times",
                                                 ", so there is no '", text, "'"));
}

// ---- One row, and its numbers ----

class Row {
 public:
  Row(const SentenceTrace& trace, const AttentionTrace& attention, int head, int query)
      : trace_(trace), attention_(attention), head_(head), query_(query) {}

  const SentenceTrace& trace() const { return trace_; }
  const AttentionTrace& attention() const { return attention_; }
  AttentionKind kind() const { return attention_.id.kind; }
  int head() const { return head_; }
  int query() const { return query_; }
  int heads() const { return static_cast<int>(attention_.heads.size()); }
  // Keys that the query may see; those that it may not come after.
  int seen() const { return kind() == AttentionKind::kDecoder ? query_ + 1 : attention_.keys; }

  std::string KeyName(int key) const {
    return kind() == AttentionKind::kDecoder ? DecoderInputName(trace_, key)
                                             : trace_.source.tokens[key].piece;
  }
  float weight(int head, int key) const { return attention_.weight(head, query_, key); }
  float score(int key) const {
    return attention_.scores[Cell(head_, query_, attention_.queries) * attention_.keys + key];
  }
  Numbers q() const { return HeadRow(attention_.q, query_, attention_.queries); }
  Numbers k(int key) const { return HeadRow(attention_.k, key, attention_.keys); }
  Numbers v(int key) const { return HeadRow(attention_.v, key, attention_.keys); }
  Numbers context() const { return HeadRow(attention_.context, query_, attention_.queries); }
  Numbers output() const {
    const size_t model_dim = attention_.output.size() / attention_.queries;
    return Numbers(attention_.output).subspan(query_ * model_dim, model_dim);
  }
  // What one head has of the output, before the bias.
  Numbers part(int head) const {
    const size_t model_dim = output().size();
    return Numbers(attention_.head_output)
        .subspan(Cell(head, query_, attention_.queries) * model_dim, model_dim);
  }

 private:
  static size_t Cell(int head, int row, int rows) { return static_cast<size_t>(head) * rows + row; }
  Numbers HeadRow(const std::vector<float>& all, int row, int rows) const {
    const size_t head_dim = attention_.head_dim;
    return Numbers(all).subspan(Cell(head_, row, rows) * head_dim, head_dim);
  }

  const SentenceTrace& trace_;
  const AttentionTrace& attention_;
  int head_;
  int query_;
};

// ---- The same in words ----

// Prose and tables, narrower where the terminal is.
class Page {
 public:
  explicit Page(int width)
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
  // "[  0.12 -0.34 ..]": the first of some numbers, as many as there is room for; `scale` times
  // them.
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
    // No minus before a zero.
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

void TellOfQuery(const Row& row, Page* page) {
  const size_t model_dim = row.output().size();
  std::string who;
  if (row.kind() == AttentionKind::kEncoder) {
    page->Heading("1. The query, Q: from the SOURCE");
    who = absl::StrCat("The token ", InQuotes(row.KeyName(row.query())),
                       " looks at its own sentence. What the encoder knows of it");
  } else {
    page->Heading("1. The query, Q: from the TARGET");
    who = absl::StrCat(
        "The decoder has just taken in ", InQuotes(DecoderInputName(row.trace(), row.query())),
        row.query() == 0 ? ", with which it starts," : "",
        " and is to say what comes next, which will be ",
        InQuotes(row.trace().target.tokens[row.query()].piece), ". What it knows at this step");
  }
  page->Say(absl::StrCat(who, ", when it comes to this attention, is a vector of ", model_dim,
                         " numbers (the residual stream). Times this head's matrix W_q, plus a "
                         "bias, it becomes the query, ",
                         row.q().size(), " numbers that say what is looked for:"));
  page->Gap();
  page->Line(absl::StrCat("q = ", page->First(row.q()),
                          absl::StrFormat("  length %.2f", Length(row.q()))));
}

void TellOfKeys(const Row& row, Page* page) {
  switch (row.kind()) {
    case AttentionKind::kEncoder:
      page->Heading("2. The keys, K: from the SOURCE too");
      page->Say(
          "Every token of the sentence, this one included, has a key: its own vector times W_k, "
          "plus "
          "a bias.");
      break;
    case AttentionKind::kDecoder:
      page->Heading("2. The keys, K: from the TARGET too");
      page->Say(
          "Every token that the decoder has taken in so far, this one included, has a key: its own "
          "vector times W_k, plus a bias.");
      break;
    case AttentionKind::kCross:
      page->Heading("2. The keys, K: from the SOURCE");
      page->Say(
          "Every token of the source has a key: its vector in the encoder's output times W_k, plus "
          "a bias. Keys are made once a sentence; all steps of the decoder ask the same ones.");
      break;
  }
}

void TellOfMasked(const Row& row, Page* page) {
  std::vector<std::string> later;
  for (int key = row.seen(); key < row.attention().keys; ++key) {
    later.push_back(IsolatedForDisplay(row.KeyName(key)));
  }
  if (later.empty()) return;
  page->Gap();
  page->Say(absl::StrCat(
      "Masked, with a weight of exactly 0, because the decoder must not see what it has yet to "
      "say: ",
      absl::StrJoin(later, "  ")));
}

void TellOfWeights(const Row& row, Page* page) {
  page->Say(absl::StrFormat(
      "The score of a key is q·k, number times number, summed up, then divided by √%d = %.4g, so "
      "that vectors of more numbers do not mean larger scores. Softmax makes weights of scores: "
      "e^score, divided by the sum of all of them. (The largest score, max, is taken off first; "
      "that changes no weight.)",
      row.q().size(), std::sqrt(static_cast<double>(row.q().size()))));
  page->Gap();
  page->Line(absl::StrCat(page->Name("key"), page->Column("q·k"), page->Column("score"),
                          page->Column("e^score"), page->Column("weight")));
  float best = -std::numeric_limits<float>::infinity();
  for (int key = 0; key < row.seen(); ++key) best = std::max(best, row.score(key));
  double powers = 0;
  double weights = 0;
  for (int key = 0; key < row.seen(); ++key) {
    const double power = std::exp(static_cast<double>(row.score(key)) - best);
    const double weight = row.weight(row.head(), key);
    powers += power;
    weights += weight;
    page->Line(absl::StrCat(page->Name(row.KeyName(key)), page->Column(Dot(row.q(), row.k(key)), 3),
                            page->Column(row.score(key), 3), page->Column(power, 3),
                            page->Percent(weight)));
  }
  page->Line(absl::StrCat(page->Name("sum"), page->Column(""), page->Column(""),
                          page->Column(powers, 3), page->Percent(weights)));
  TellOfMasked(row, page);
}

void TellOfValues(const Row& row, Page* page) {
  page->Heading(absl::StrCat("3. The values, V: from the ",
                             row.kind() == AttentionKind::kDecoder ? "TARGET" : "SOURCE",
                             ", like the keys"));
  page->Say(
      "The same tokens once more, times a third matrix, W_v, plus a bias: what each has to give to "
      "those who look at it. The head takes of each value as much as its key has weight, and adds "
      "it all up. The sum is the head's context.");
  page->Gap();
  const auto wide = static_cast<int>(page->First(row.context()).size());
  page->Line(absl::StrCat(page->Name("value"), page->Column("weight"), " ",
                          Cell("v", wide, Justify::kLeft), " weight · v"));
  for (int key = 0; key < row.seen(); ++key) {
    const float weight = row.weight(row.head(), key);
    page->Line(absl::StrCat(page->Name(row.KeyName(key)), page->Percent(weight), " ",
                            page->First(row.v(key)), " ", page->First(row.v(key), weight)));
  }
  page->Line(absl::StrCat(page->Name("context"), page->Column(""), " ",
                          Cell("", wide, Justify::kLeft), " ", page->First(row.context())));
}

// The key that a head looks at most, and its weight.
std::string MostWatched(const Row& row, int head, const Page& page) {
  int best = 0;
  for (int key = 1; key < row.seen(); ++key) {
    if (row.weight(head, key) > row.weight(head, best)) best = key;
  }
  return page.Name(row.KeyName(best)) + page.Percent(row.weight(head, best));
}

void TellOfHeads(const Row& row, Page* page) {
  page->Heading("4. The heads, joined");
  page->Say(absl::StrFormat(
      "The layer has %d heads, which do all this side by side, each with its own W_q, W_k and W_v, "
      "so that each can look for something else. Their contexts (%d × %d numbers) in a row, times "
      "W_o, plus a bias, are what this attention adds to the residual stream: its output. So every "
      "head has a part of it, and so has the bias:",
      row.heads(), row.heads(), row.attention().head_dim));
  page->Gap();
  page->Line(absl::StrCat("head  ", page->Name("watches"), page->Column("most"),
                          page->Column("length"), page->Column("share")));
  const Numbers output = row.output();
  const double whole = Dot(output, output);
  std::vector<float> bias(output.begin(), output.end());
  double shares = 0;
  const auto line = [&](const std::string& name, Numbers part) {
    const double share = whole > 0 ? Dot(part, output) / whole : 0;
    shares += share;
    page->Line(absl::StrCat(name, page->Column(Length(part), 2), page->Percent(share)));
  };
  for (int head = 0; head < row.heads(); ++head) {
    const Numbers part = row.part(head);
    std::transform(bias.begin(), bias.end(), part.begin(), bias.begin(), std::minus<>());
    line(absl::StrFormat("%3d%c  %s", head, head == row.head() ? '*' : ' ',
                         MostWatched(row, head, *page)),
         part);
  }
  const std::string nothing = page->Name("") + page->Column("");
  line("bias  " + nothing, bias);
  page->Line(
      absl::StrCat("all   ", nothing, page->Column(Length(output), 2), page->Percent(shares)));
  page->Gap();
  page->Line(absl::StrCat("output = ", page->First(output)));
  page->Gap();
  page->Say(
      "* is the head above. A part's share is (part·output) / (output·output): how far it goes the "
      "way of the whole. One below 0 goes the other way.");
}

void TellOfTheOthers(const Row& row, Page* page) {
  page->Heading(
      "The arithmetic is the same in all three attentions. What differs is who asks whom:");
  constexpr AttentionKind kKinds[] = {AttentionKind::kEncoder, AttentionKind::kDecoder,
                                      AttentionKind::kCross};
  constexpr const char* kFrom[] = {"Q, K, V: source", "Q, K, V: target so far",
                                   "Q: target; K, V: source"};
  for (size_t i = 0; i < std::size(kKinds); ++i) {
    page->Line(absl::StrFormat("%s %-9s %s", kKinds[i] == row.kind() ? ">" : " ",
                               std::string(AttentionKindName(kKinds[i])), kFrom[i]));
  }
  page->Say("--attention, --layer and --head choose another.");
}

// "liebe", or "gekauft (piece 1 of 2: ▁gek auft)".
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
    absl::StrAppend(&subject, " (its piece ", number, " of ", pieces.size(), ": ",
                    absl::StrJoin(pieces, " "), ")");
  }
  return subject;
}

}  // namespace

absl::StatusOr<std::string> Explain(absl::Span<const SentenceTrace> traces,
                                    const AttentionChoice& choice, const std::string& word,
                                    int width) {
  const absl::StatusOr<Place> place = FindWord(traces, choice.kind, word);
  if (!place.ok()) return place.status();
  const SentenceTrace& trace = traces[place->sentence];
  const absl::StatusOr<ChosenAttention> chosen = Choose(trace, choice);
  if (!chosen.ok()) return chosen.status();
  const bool later = choice.kind != AttentionKind::kEncoder && choice.row == AlignmentRow::kInput;
  const int query = place->token + (later ? 1 : 0);
  if (query >= chosen->attention->queries) {
    return absl::InvalidArgumentError(absl::StrCat(
        "'", word, "' ends the translation, so the decoder never takes it in; use --row=output"));
  }
  const Row row(trace, *chosen->attention, chosen->heads[0], query);
  Page page(width);
  page.Heading(absl::StrCat("How ", Subject(SideOf(trace, choice.kind), place->token), " is ",
                            choice.kind == AttentionKind::kEncoder ? "read"
                            : later                                ? "taken in"
                                                                   : "predicted",
                            ": ", AttentionName(choice.kind), ", layer ",
                            chosen->attention->id.layer, ", head ", row.head()));
  TellOfQuery(row, &page);
  TellOfKeys(row, &page);
  TellOfWeights(row, &page);
  TellOfValues(row, &page);
  TellOfHeads(row, &page);
  TellOfTheOthers(row, &page);
  return absl::StrCat(IsolatedForDisplay(trace.source.text), "\n",
                      IsolatedForDisplay(trace.target.text), "\n", page.text());
}

}  // namespace limpid::internal

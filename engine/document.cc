#include "engine/document.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/alignment.h"
#include "tokenizer/text.h"

namespace limpid {
namespace {

void AddPiece(int id, const std::string& text, ByteRange range, Pieces& pieces) {
  pieces.ids.push_back(id);
  pieces.texts.push_back(text);
  pieces.ranges.push_back(range);
}

// A multilingual model is told the language to translate to by a first token such as ">>fra<<".
// Standing once before a text, it holds for all segments of it.
bool IsLanguageCode(const std::string& piece) {
  return piece.starts_with(">>") && piece.ends_with("<<");
}

void PutFirst(int id, const std::string& text, Pieces& pieces) {
  pieces.ids.insert(pieces.ids.begin(), id);
  pieces.texts.insert(pieces.texts.begin(), text);
  pieces.ranges.insert(pieces.ranges.begin(), ByteRange());
}

void Erase(size_t place, Pieces& pieces) {
  const auto i = static_cast<std::ptrdiff_t>(place);
  pieces.ids.erase(pieces.ids.begin() + i);
  pieces.texts.erase(pieces.texts.begin() + i);
  pieces.ranges.erase(pieces.ranges.begin() + i);
}

// A source is its text's pieces, and <s> before and </s> behind them where the model has these.
Pieces EncodeWithoutMarks(std::string_view sentence, const ModelConfig& config,
                          const Tokenizer& tokenizer) {
  Pieces pieces = tokenizer.EncodeSource(sentence);
  if (config.source_bos_id >= 0) Erase(0, pieces);
  if (config.source_eos_id >= 0) Erase(pieces.size() - 1, pieces);
  return pieces;
}

// `marks` is the source of no text.
void AddMarks(const ModelConfig& config, const Pieces& marks, Segment& segment) {
  if (config.source_bos_id >= 0) {
    PutFirst(marks.ids.front(), marks.texts.front(), segment.source);
  }
  if (config.source_eos_id >= 0) {
    AddPiece(marks.ids.back(), marks.texts.back(), {segment.text.size(), segment.text.size()},
             segment.source);
  }
}

// How many pieces of text the model takes at once.
size_t MostPieces(const ModelConfig& config) {
  return config.max_source_tokens - (config.source_bos_id >= 0 ? 1 : 0) -
         (config.source_eos_id >= 0 ? 1 : 0);
}

// Pieces [begin, end) of a sentence as a segment of their own.
Segment Cut(std::string_view sentence, const Pieces& pieces, size_t begin, size_t end) {
  Segment segment;
  const size_t text_begin = begin == 0 ? 0 : pieces.ranges[begin].begin;
  const size_t text_end = end == pieces.size() ? sentence.size() : pieces.ranges[end - 1].end;
  segment.text = sentence.substr(text_begin, text_end - text_begin);
  for (size_t i = begin; i < end; ++i) {
    AddPiece(pieces.ids[i], pieces.texts[i],
             {pieces.ranges[i].begin - text_begin, pieces.ranges[i].end - text_begin},
             segment.source);
  }
  return segment;
}

// Whether the model knows nothing of a sentence but marks and numbers: one of control characters,
// or in a script that it has never seen. What it would make of that is nonsense.
bool IsUnknown(std::string_view sentence, const Pieces& pieces, const ModelConfig& config) {
  bool has_known = false;
  bool has_unknown = false;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces.ranges[i].empty()) continue;  // a space alone
    const bool known = pieces.ids[i] != config.source_unk_id;
    if (known && HasLetter(pieces.ranges[i].In(sentence))) return false;
    (known ? has_known : has_unknown) = true;
  }
  return has_unknown || !has_known;
}

// Adds a sentence to a document, in parts where the model cannot take it whole, without marks.
void AddSentence(std::string_view before, std::string_view sentence, const ModelConfig& config,
                 const Tokenizer& tokenizer, Document& document) {
  document.after += before;
  const Pieces pieces = EncodeWithoutMarks(sentence, config, tokenizer);
  if (IsUnknown(sentence, pieces, config)) {
    document.after += sentence;
    return;
  }
  const Pieces& first = document.segments.empty() ? pieces : document.segments.front().source;
  const int code_id = first.ids.front();
  // A model of one piece a sentence has no room for it.
  const bool has_code = IsLanguageCode(first.texts.front()) && MostPieces(config) > 1;
  const std::string code = has_code ? first.texts.front() : "";
  const std::vector<size_t> ends =
      CutLongSentence(pieces.texts, MostPieces(config) - (has_code ? 1 : 0));
  if (ends.size() > 1) ++document.cut_sentences;
  size_t begin = 0;
  for (const size_t end : ends) {
    Segment segment = Cut(sentence, pieces, begin, end);
    segment.before = std::exchange(document.after, "");
    if (begin > 0) {
      // Pieces on both sides of the cut may share a character; then nothing lies between.
      const size_t gap = pieces.ranges[begin - 1].end;
      const size_t gap_end = std::max(gap, pieces.ranges[begin].begin);
      segment.before += sentence.substr(gap, gap_end - gap);
    }
    segment.starts_text = document.segments.empty();
    if (has_code && segment.source.texts.front() != code) {
      PutFirst(code_id, code, segment.source);
    }
    document.segments.push_back(std::move(segment));
    begin = end;
  }
}

TracedSide TraceSide(std::string text, const Pieces& pieces) {
  TracedSide side;
  const std::vector<ByteRange> words = SplitWords(text);
  const std::vector<int> word_of_piece = WordsOfPieces(pieces.ranges, words);
  for (const ByteRange& word : words) {
    side.words.push_back({std::string(word.In(text)), word.begin, word.end});
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    side.tokens.push_back({pieces.texts[i], pieces.ids[i], word_of_piece[i]});
  }
  side.text = std::move(text);
  return side;
}

TracedSide TraceSource(const Segment& segment, const ModelConfig& config) {
  TracedSide side = TraceSide(segment.text, segment.source);
  if (config.source_bos_id >= 0) side.tokens.front().is_text = false;
  if (config.source_eos_id >= 0) side.tokens.back().is_text = false;
  return side;
}

TracedSide TraceTarget(const std::string& text, const Pieces& pieces, const Hypothesis& hypothesis,
                       const ModelConfig& config) {
  TracedSide side = TraceSide(text, pieces);
  if (!side.tokens.empty() && side.tokens.back().id == config.target_eos_id) {
    side.tokens.back().is_text = false;
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    side.tokens[i].log_probability = hypothesis.log_probabilities[i];
  }
  return side;
}

// Takes the recorded attentions out of the segment.
SentenceTrace TraceOf(Segment& segment, const std::string& target_text, const Pieces& target,
                      const ModelConfig& config, const Tokenizer& tokenizer) {
  SentenceTrace trace;
  trace.source = TraceSource(segment, config);
  trace.target = TraceTarget(target_text, target, segment.hypothesis, config);
  trace.decoder_layers = config.decoder_layers;
  trace.alignment_layer = config.alignment_layer;
  trace.alignment_heads = config.alignment_heads;
  trace.alignment_input_layer = config.alignment_input_layer;
  trace.alignment_input_head = config.alignment_input_head;
  trace.decoder_start = config.decoder_start_id < 0
                            ? ""
                            : std::string(tokenizer.TargetPiece(config.decoder_start_id));
  trace.attentions = std::move(segment.forced.attentions);
  trace.predictions = std::move(segment.forced.predictions);
  trace.leave_one_out = std::move(segment.forced.leave_one_out);
  for (std::vector<Prediction>& step : trace.predictions) {
    for (Prediction& prediction : step) prediction.piece = tokenizer.TargetPiece(prediction.id);
  }
  return trace;
}

// Adds the translation of a segment to the text, with what stands before it.
void AppendText(const Segment& segment, const std::string& translation, std::string* text) {
  const bool touches = segment.before.empty() && !text->empty();
  // Chinese puts no space between sentences, English does: "。" needs none behind it, "." one.
  const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
  if (touches && is_ascii(text->back())) *text += ' ';
  *text += segment.before;
  *text += translation;
}

// Returns the sum of their log-probabilities.
double AppendTokens(const Hypothesis& hypothesis, Pieces pieces, std::vector<Token>* tokens) {
  double sum = 0;
  for (size_t i = 0; i < hypothesis.ids.size(); ++i) {
    tokens->push_back(
        {std::move(pieces.texts[i]), hypothesis.ids[i], hypothesis.log_probabilities[i]});
    sum += hypothesis.log_probabilities[i];
  }
  return sum;
}

// Which hypothesis of each segment a translation of the whole text is made of.
struct Combination {
  double score = 0;
  std::vector<const Hypothesis*> hypotheses;
};

// The combinations of the highest scores, the best first.
std::vector<Combination> BestCombinations(const Document& document, size_t most) {
  struct Extension {
    double score;
    const Combination* combination;
    const Hypothesis* by;
  };
  std::vector<Combination> best(1);
  for (const Segment& segment : document.segments) {
    std::vector<Extension> extensions;
    for (const Combination& combination : best) {
      for (const Hypothesis& by : segment.nbest) {
        extensions.push_back({combination.score + by.score, &combination, &by});
      }
    }
    std::stable_sort(extensions.begin(), extensions.end(),
                     [](const Extension& a, const Extension& b) { return a.score > b.score; });
    if (extensions.size() > most) extensions.resize(most);
    std::vector<Combination> extended;
    for (const Extension& extension : extensions) {
      extended.push_back({extension.score, extension.combination->hypotheses});
      extended.back().hypotheses.push_back(extension.by);
    }
    best = std::move(extended);
  }
  return best;
}

// For samples and alternatives, which do not compete: the first of each segment, the second …; the
// last, where a segment has no more.
std::vector<Combination> CombinationsInOrder(const Document& document) {
  size_t most = 1;
  for (const Segment& segment : document.segments) most = std::max(most, segment.nbest.size());
  std::vector<Combination> combinations(most);
  for (const Segment& segment : document.segments) {
    for (size_t i = 0; i < most; ++i) {
      const Hypothesis& chosen = segment.nbest[std::min(i, segment.nbest.size() - 1)];
      combinations[i].hypotheses.push_back(&chosen);
      combinations[i].score += chosen.score;
    }
  }
  return combinations;
}

std::vector<NBestTranslation> AssembleNBest(const Document& document, const SearchOptions& options,
                                            const Tokenizer& tokenizer) {
  std::vector<NBestTranslation> nbest;
  for (const Combination& combination : options.beam_size > 1
                                            ? BestCombinations(document, options.nbest)
                                            : CombinationsInOrder(document)) {
    NBestTranslation& translation = nbest.emplace_back();
    translation.ranking_score = combination.score;
    for (size_t i = 0; i < document.segments.size(); ++i) {
      const Hypothesis& hypothesis = *combination.hypotheses[i];
      Pieces pieces;
      AppendText(document.segments[i], tokenizer.DecodeTarget(hypothesis.ids, &pieces),
                 &translation.text);
      translation.score += AppendTokens(hypothesis, std::move(pieces), &translation.tokens);
      if (i == 0) translation.alternative_at = hypothesis.alternative_at;
    }
    translation.text += document.after;
  }
  return nbest;
}

// Puts the source word that an unknown piece is aligned with in its place. Unknown
// pieces in a row that come from one word become one copy of it.
void ReplaceUnknowns(const SentenceTrace& trace, int unk_id, std::string& text, Pieces& pieces) {
  const absl::StatusOr<Alignment> alignment = AlignPieces(trace, {});
  if (!alignment.ok()) return;
  // The alignment counts the pieces of text, behind what marks the beginning.
  const size_t first = trace.source.tokens.front().is_text ? 0 : 1;
  const auto source_word = [&](size_t token) {
    if (token >= static_cast<size_t>(alignment->targets) || pieces.ids[token] != unk_id) return -1;
    const float* row = alignment->row(static_cast<int>(token));
    const auto best = std::max_element(row, row + alignment->sources) - row;
    return best == alignment->sources ? -1 : trace.source.tokens[first + best].word;
  };
  size_t shift = 0;
  int previous = -1;
  for (size_t i = 0; i < pieces.size(); ++i) {
    pieces.ranges[i].begin += shift;
    pieces.ranges[i].end += shift;
    const int word = source_word(i);
    if (word >= 0 && word != previous) {
      ByteRange& range = pieces.ranges[i];
      const bool needs_space = range.begin > 0 && text[range.begin - 1] != ' ';
      const std::string copy = absl::StrCat(needs_space ? " " : "", trace.source.words[word].text);
      text.insert(range.begin, copy);
      shift += copy.size();
      range = {range.begin + (needs_space ? 1 : 0), range.begin + copy.size()};
    }
    previous = word;
  }
}

}  // namespace

Document Prepare(std::string_view text, const TranslateOptions& options, const ModelConfig& config,
                 const Tokenizer& tokenizer) {
  Document document;
  std::string valid;
  if (!IsValidUtf8(text)) {
    document.replaced_invalid_utf8 = true;
    valid = ReplaceInvalidUtf8(text);
    text = valid;
  }
  std::vector<ByteRange> sentences;
  if (options.split_sentences) {
    sentences = SplitSentences(text, config.source_language);
  } else if (const ByteRange all = TrimWhiteSpace(text); !all.empty()) {
    sentences.push_back(all);
  }
  size_t done = 0;
  for (const ByteRange& sentence : sentences) {
    AddSentence(text.substr(done, sentence.begin - done), sentence.In(text), config, tokenizer,
                document);
    done = sentence.end;
  }
  document.after += text.substr(done);
  const Pieces marks = tokenizer.EncodeSource("");
  for (Segment& segment : document.segments) AddMarks(config, marks, segment);
  return document;
}

Translation Assemble(Document document, const TranslateOptions& options, const ModelConfig& config,
                     const Tokenizer& tokenizer) {
  Translation translation;
  translation.replaced_invalid_utf8 = document.replaced_invalid_utf8;
  translation.cut_sentences = document.cut_sentences;
  translation.sentences = static_cast<int>(document.segments.size());
  if (WantsSeveral(options.search)) {
    translation.nbest = AssembleNBest(document, options.search, tokenizer);
  }
  for (Segment& segment : document.segments) {
    const Hypothesis& found = segment.hypothesis;
    Pieces pieces;
    std::string text = tokenizer.DecodeTarget(found.ids, &pieces);
    if (options.trace.has_value()) {
      SentenceTrace trace = TraceOf(segment, text, pieces, config, tokenizer);
      if (options.replace_unknowns) {
        ReplaceUnknowns(trace, config.target_unk_id, text, pieces);
        trace.target = TraceTarget(text, pieces, found, config);
      }
      translation.traces.push_back(std::move(trace));
    }
    AppendText(segment, text, &translation.text);
    translation.score += AppendTokens(found, std::move(pieces), &translation.tokens);
    if (!found.finished) ++translation.unfinished_sentences;
  }
  translation.text += document.after;
  return translation;
}

}  // namespace limpid

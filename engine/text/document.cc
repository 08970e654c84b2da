#include "engine/text/document.h"

#include <algorithm>
#include <cstddef>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "limpid/alignment.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// A multilingual model is told the language to translate to by a first token such as ">>fra<<".
// Standing once before a text, it holds for all segments of it.
struct LanguageCode {
  int id = -1;  // -1: none
  std::string text;
};

// Of a part of a text, which begins at `by`, to those of the text.
void Shift(size_t by, std::vector<ByteRange>& ranges) {
  for (ByteRange& range : ranges) range = {range.begin + by, range.end + by};
}

// How many pieces of text the model takes at once.
size_t MostPieces(const ModelConfig& config) {
  return config.max_source_tokens - (config.source_bos_id >= 0 ? 1 : 0) -
         (config.source_eos_id >= 0 ? 1 : 0);
}

// Pieces [begin, end) of a sentence as a segment of their own.
Segment Cut(ByteRange sentence, const Pieces& pieces, size_t begin, size_t end) {
  Segment segment;
  segment.text.begin = begin == 0 ? sentence.begin : pieces.ranges[begin].begin;
  segment.text.end = end == pieces.size() ? sentence.end : pieces.ranges[end - 1].end;
  for (size_t i = begin; i < end; ++i) {
    segment.source.Add(pieces.ids[i], pieces.texts[i], pieces.ranges[i]);
  }
  return segment;
}

// Whether a sentence has nothing that the model could translate: it must know a letter of it. Of
// marks and numbers alone, or of a script that it has never seen, a model makes nonsense. Bytes
// that stand for a character are not known. Where the vocabulary has no letters at all, as a toy's,
// everything must be known.
bool IsNothingToTranslate(std::string_view text, const Pieces& pieces, const ModelConfig& config,
                          const Tokenizer& tokenizer) {
  bool has_known = false;
  bool has_unknown = false;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces.ranges[i].empty()) continue;  // a space alone
    const bool known =
        pieces.ids[i] != config.source_unk_id && !ByteOfPiece(pieces.texts[i]).has_value();
    if (known && IsLanguageCode(pieces.texts[i])) continue;
    if (known && HasLetter(pieces.ranges[i].In(text))) return false;
    (known ? has_known : has_unknown) = true;
  }
  return tokenizer.SourceHasLetters() || has_unknown || !has_known;
}

// Adds a sentence to a document, in parts if the model cannot take it whole, without special
// tokens.
void AddSentence(ByteRange sentence, const LanguageCode& code, const ModelConfig& config,
                 const Tokenizer& tokenizer, Document& document) {
  Pieces pieces = tokenizer.SplitSource(sentence.In(document.text));
  Shift(sentence.begin, pieces.ranges);
  if (IsNothingToTranslate(document.text, pieces, config, tokenizer)) {
    document.copied.push_back(sentence);
    return;
  }
  // A model of one piece a sentence has no room for it.
  const bool has_code = code.id >= 0 && MostPieces(config) > 1;
  const std::vector<size_t> ends =
      CutLongSentence(pieces.texts, MostPieces(config) - (has_code ? 1 : 0));
  if (ends.size() > 1) ++document.cut_sentences;
  size_t begin = 0;
  for (const size_t end : ends) {
    Segment segment = Cut(sentence, pieces, begin, end);
    segment.starts_text = document.segments.empty();
    // A sentence may have one of its own.
    if (has_code && !IsLanguageCode(segment.source.texts.front())) {
      segment.source.PutFirst(code.id, code.text, {segment.text.begin, segment.text.begin});
    }
    document.segments.push_back(std::move(segment));
    begin = end;
  }
}

// Takes the code of a language off the beginning of a text.
LanguageCode TakeLanguageCode(const Tokenizer& tokenizer, Document& document) {
  const std::string_view text = document.text;
  const ByteRange all = TrimWhiteSpace(text);
  const size_t size = tokenizer.LanguageCodeSize(all.In(text));
  document.unknown_language_code = size == 0 && SpelledLanguageCodeSize(all.In(text)) > 0;
  if (size == 0) return {};
  const ByteRange code = {all.begin, all.begin + size};
  const Pieces pieces = tokenizer.SplitSource(code.In(text));
  const ByteRange rest = TrimWhiteSpace(text.substr(code.end));
  document.language_code = {code.begin, code.end + rest.begin};
  return {pieces.ids.front(), pieces.texts.front()};
}

std::vector<ByteRange> Sentences(const Document& document, const TranslateOptions& options,
                                 const ModelConfig& config) {
  const size_t begin = document.language_code.end;
  const std::string_view line = document.text;
  const std::string_view text = line.substr(begin);
  std::vector<ByteRange> sentences;
  if (options.split_sentences) {
    sentences = SplitSentences(text, config.source_language);
  } else if (const ByteRange all = TrimWhiteSpace(text); !all.empty()) {
    sentences.push_back(all);
  }
  Shift(begin, sentences);
  return sentences;
}

void FindWords(const Document& document, Segment& segment) {
  segment.words = SplitWords(segment.text.In(document.text));
  Shift(segment.text.begin, segment.words);
}

// `range` of a text, the words in it and its pieces; their ranges are of the whole text.
TracedSide TraceSide(std::string_view text, ByteRange range, const std::vector<ByteRange>& words,
                     const Pieces& pieces) {
  TracedSide side;
  side.text = range.In(text);
  side.begin = range.begin;
  const std::vector<int> word_of_piece = WordsOfPieces(pieces.ranges, words);
  for (const ByteRange& word : words) {
    side.words.push_back(
        {std::string(word.In(text)), word.begin - range.begin, word.end - range.begin});
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    const ByteRange& piece = pieces.ranges[i];
    side.tokens.push_back({.piece = pieces.texts[i],
                           .id = pieces.ids[i],
                           .word = word_of_piece[i],
                           .begin = piece.begin - range.begin,
                           .end = piece.end - range.begin});
  }
  return side;
}

TracedSide TraceSource(const Document& document, const Segment& segment,
                       const ModelConfig& config) {
  TracedSide side = TraceSide(document.text, segment.text, segment.words, segment.source);
  if (config.source_bos_id >= 0) side.tokens.front().is_text = false;
  if (config.source_eos_id >= 0) side.tokens.back().is_text = false;
  return side;
}

TracedSide TraceTarget(const std::string& text, const Pieces& pieces, const Hypothesis& hypothesis,
                       const ModelConfig& config) {
  TracedSide side = TraceSide(text, {0, text.size()}, SplitWords(text), pieces);
  if (!side.tokens.empty() && side.tokens.back().id == config.target_eos_id) {
    side.tokens.back().is_text = false;
  }
  for (size_t i = 0; i < pieces.size(); ++i) {
    side.tokens[i].log_probability = hypothesis.log_probabilities[i];
  }
  return side;
}

// Takes the recorded attentions out of the segment.
SentenceTrace TraceOf(const Document& document, Segment& segment, const std::string& target_text,
                      const Pieces& target, const ModelConfig& config, const Tokenizer& tokenizer) {
  SentenceTrace trace;
  trace.source = TraceSource(document, segment, config);
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
  trace.occlusion = std::move(segment.forced.occlusion);
  for (std::vector<Prediction>& step : trace.predictions) {
    for (Prediction& prediction : step) prediction.piece = tokenizer.TargetPiece(prediction.id);
  }
  return trace;
}

// A translation of a document, put together segment after segment.
class Assembly {
 public:
  // White space before the code of a language stays.
  explicit Assembly(const Document& document)
      : document_(document),
        text_(document.text, 0, document.language_code.begin),
        done_(document.language_code.end) {}

  // Adds a segment's translation behind what stands before the segment. Returns where it begins.
  size_t Add(const Segment& segment, std::string_view translation) {
    const bool is_first = done_ == document_.language_code.end;
    const bool touches = !is_first && segment.text.begin <= done_ && !text_.empty();
    // Chinese puts no space between sentences, English does: "。" needs none behind it, "." one.
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (touches && is_ascii(text_.back())) text_ += ' ';
    CopyTo(segment.text.begin);
    done_ = std::max(done_, segment.text.end);
    const size_t begin = text_.size();
    text_ += translation;
    return begin;
  }

  // Adds what stands behind the last segment.
  void Finish() { CopyTo(document_.text.size()); }

  std::string TakeText() { return std::move(text_); }
  std::vector<CopiedText> TakeCopies() { return std::move(copies_); }

 private:
  // Pieces on both sides of a cut may share a character; then nothing lies between.
  void CopyTo(size_t end) {
    if (end <= done_) return;
    for (; next_copied_ < document_.copied.size(); ++next_copied_) {
      const ByteRange& copied = document_.copied[next_copied_];
      if (copied.begin >= end) break;
      copies_.push_back({copied.begin, text_.size() + (copied.begin - done_), copied.size()});
    }
    text_.append(document_.text, done_, end - done_);
    done_ = end;
  }

  const Document& document_;
  std::string text_;
  size_t done_;  // so much of the document's text
  size_t next_copied_ = 0;
  std::vector<CopiedText> copies_;
};

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
    Assembly assembly(document);
    for (size_t i = 0; i < document.segments.size(); ++i) {
      const Hypothesis& hypothesis = *combination.hypotheses[i];
      Pieces pieces;
      assembly.Add(document.segments[i], tokenizer.DecodeTarget(hypothesis.ids, &pieces));
      translation.score += AppendTokens(hypothesis, std::move(pieces), &translation.tokens);
      if (i == 0) translation.alternative_at = hypothesis.alternative_at;
    }
    assembly.Finish();
    translation.text = assembly.TakeText();
  }
  return nbest;
}

// What unknown tokens of a translation stand for: the text of the source piece that each is aligned
// with. Several in a row that are aligned with the same text stand for it together.
std::vector<Tokenizer::Copy> CopiesForUnknowns(const SentenceTrace& trace, int unk_id) {
  const std::vector<TracedToken>& targets = trace.target.tokens;
  const std::vector<TracedToken>& sources = trace.source.tokens;
  std::vector<Tokenizer::Copy> copies(targets.size());
  const absl::StatusOr<Alignment> alignment = AlignPieces(trace, {});
  if (!alignment.ok()) return copies;
  // The alignment counts the pieces of text, behind what marks the beginning.
  const size_t first = sources.front().is_text ? 0 : 1;
  ByteRange previous;
  for (size_t i = 0; i < static_cast<size_t>(alignment->targets); ++i) {
    ByteRange copied;
    const float* row = alignment->row(static_cast<int>(i));
    const auto best = std::max_element(row, row + alignment->sources) - row;
    if (targets[i].id == unk_id && best < alignment->sources) {
      const TracedToken& source = sources[first + best];
      copied = {source.begin, source.end};
      if (copied != previous) copies[i] = {std::string(copied.In(trace.source.text)), source.piece};
    }
    previous = copied;
  }
  return copies;
}

// What a segment says, and where each of its tokens stands in that.
struct Said {
  std::string text;
  Pieces pieces;
};

Said Say(const Segment& segment, absl::Span<const Tokenizer::Copy> copies,
         const Tokenizer& tokenizer) {
  Said said;
  said.text = tokenizer.DecodeTarget(segment.hypothesis.ids, copies, &said.pieces);
  return said;
}

void AssembleSegment(const Document& document, Segment& segment, const TranslateOptions& options,
                     const ModelConfig& config, const Tokenizer& tokenizer, Assembly& assembly,
                     Translation& translation) {
  const Hypothesis& found = segment.hypothesis;
  Said said = segment.given.has_value()
                  ? Said{std::move(segment.given->text), std::move(segment.given->pieces)}
                  : Say(segment, {}, tokenizer);
  if (options.trace.has_value()) {
    SentenceTrace trace = TraceOf(document, segment, said.text, said.pieces, config, tokenizer);
    if (options.replace_unknowns) {
      said = Say(segment, CopiesForUnknowns(trace, config.target_unk_id), tokenizer);
      trace.target = TraceTarget(said.text, said.pieces, found, config);
    }
    translation.traces.push_back(std::move(trace));
  }
  const size_t begin = assembly.Add(segment, said.text);
  if (options.trace.has_value()) translation.traces.back().target.begin = begin;
  translation.score += AppendTokens(found, std::move(said.pieces), &translation.tokens);
  if (!found.finished) ++translation.unfinished_sentences;
}

}  // namespace

Document Prepare(std::string_view text, const TranslateOptions& options, const ModelConfig& config,
                 const Tokenizer& tokenizer) {
  Document document;
  MendedText mended = Mend(text);
  document.text = std::move(mended.text);
  document.replaced_invalid_utf8 = mended.replaced_invalid_utf8;
  const LanguageCode code = TakeLanguageCode(tokenizer, document);
  for (const ByteRange& sentence : Sentences(document, options, config)) {
    AddSentence(sentence, code, config, tokenizer, document);
  }
  for (Segment& segment : document.segments) {
    tokenizer.AddSourceSpecialTokens(segment.text, segment.source);
    if (options.trace.has_value()) FindWords(document, segment);
  }
  return document;
}

Document PreparePair(const SentencePair& pair, const TranslateOptions& options,
                     const Tokenizer& tokenizer) {
  Document document;
  MendedText source = Mend(pair.source);
  MendedText target = Mend(pair.target);
  document.text = std::move(source.text);
  document.replaced_invalid_utf8 = source.replaced_invalid_utf8 || target.replaced_invalid_utf8;
  Segment& segment = document.segments.emplace_back();
  document.unknown_language_code =
      tokenizer.LanguageCodeSize(document.text) == 0 && SpelledLanguageCodeSize(document.text) > 0;
  segment.text = {0, document.text.size()};
  segment.source = tokenizer.EncodeSource(document.text);
  Pieces pieces = tokenizer.EncodeTarget(target.text);
  segment.hypothesis.ids = pieces.ids;
  segment.given = {std::move(target.text), std::move(pieces)};
  if (options.trace.has_value()) FindWords(document, segment);
  return document;
}

Translation Assemble(Document document, const TranslateOptions& options, const ModelConfig& config,
                     const Tokenizer& tokenizer) {
  Translation translation;
  translation.replaced_invalid_utf8 = document.replaced_invalid_utf8;
  translation.unknown_language_code = document.unknown_language_code;
  translation.cut_sentences = document.cut_sentences;
  translation.sentences = static_cast<int>(document.segments.size());
  if (WantsSeveral(options.search)) {
    translation.nbest = AssembleNBest(document, options.search, tokenizer);
  }
  Assembly assembly(document);
  for (Segment& segment : document.segments) {
    AssembleSegment(document, segment, options, config, tokenizer, assembly, translation);
  }
  assembly.Finish();
  translation.text = assembly.TakeText();
  translation.copies = assembly.TakeCopies();
  translation.source = std::move(document.text);
  return translation;
}

}  // namespace limpid::internal

#include "engine/text/assemble.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/search/decoding.h"
#include "limpid/alignment.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// Traces one side of a pair: `range` of a text. The ranges of `words` and `pieces` are positions in
// the text, those of the result are positions in `range`.
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

// Moves the recorded trace out of the segment.
SentenceTrace TakeTrace(const Document& document, Segment& segment, const std::string& target_text,
                        const Pieces& target, const ModelConfig& config,
                        const Tokenizer& tokenizer) {
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

// Joins the translations of segments with the source text between them.
class Assembly {
 public:
  // Keeps the white space before the language code.
  explicit Assembly(const Document& document)
      : document_(document),
        text_(document.text, 0, document.language_code.begin),
        done_(document.language_code.end) {}

  const Document& document() const { return document_; }

  // Appends the source text up to the segment, then the translation. Returns the translation's
  // position.
  size_t Add(const Segment& segment, std::string_view translation) {
    const bool is_first = done_ == document_.language_code.end;
    const bool touches = !is_first && segment.text.begin <= done_ && !text_.empty();
    // Sentences that touch in the source, as in Chinese, get a space after "." but not after "。".
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (touches && is_ascii(text_.back())) text_ += ' ';
    CopyTo(segment.text.begin);
    done_ = std::max(done_, segment.text.end);
    const size_t begin = text_.size();
    text_ += translation;
    return begin;
  }

  // Appends the source text after the last segment.
  void Finish() { CopyTo(document_.text.size()); }

  std::string TakeText() { return std::move(text_); }
  std::vector<CopiedText> TakeCopies() { return std::move(copies_); }

 private:
  // Appends the source text up to `end`. Does nothing if done_ is past it: pieces on both sides of
  // a cut may share a character.
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
  size_t done_;  // end of the source text that is done
  size_t next_copied_ = 0;
  std::vector<CopiedText> copies_;
};

// Appends the tokens of a hypothesis and returns the sum of their log-probabilities.
double AppendTokens(const Hypothesis& hypothesis, Pieces pieces, std::vector<Token>* tokens) {
  double sum = 0;
  for (size_t i = 0; i < hypothesis.ids.size(); ++i) {
    tokens->push_back(
        {std::move(pieces.texts[i]), hypothesis.ids[i], hypothesis.log_probabilities[i]});
    sum += hypothesis.log_probabilities[i];
  }
  return sum;
}

// One hypothesis of each segment: a translation of the whole text.
struct Combination {
  double score = 0;
  std::vector<const Hypothesis*> hypotheses;
};

// The `max` combinations with the highest scores, best first.
std::vector<Combination> BestCombinations(const Document& document, size_t max) {
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
    if (extensions.size() > max) extensions.resize(max);
    std::vector<Combination> extended;
    for (const Extension& extension : extensions) {
      extended.push_back({extension.score, extension.combination->hypotheses});
      extended.back().hypotheses.push_back(extension.by);
    }
    best = std::move(extended);
  }
  return best;
}

// For samples and alternatives, which are not ranked across segments: the first of each segment,
// the second, and so on; a segment with fewer repeats its last.
std::vector<Combination> CombinationsInOrder(const Document& document) {
  size_t count = 1;
  for (const Segment& segment : document.segments) count = std::max(count, segment.nbest.size());
  std::vector<Combination> combinations(count);
  for (const Segment& segment : document.segments) {
    for (size_t i = 0; i < count; ++i) {
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

// For each unknown token, the text of the source piece that it is aligned with. A run of tokens
// aligned with the same text copies it once.
std::vector<Tokenizer::Copy> CopiesForUnknowns(const SentenceTrace& trace, int unk_id) {
  const std::vector<TracedToken>& targets = trace.target.tokens;
  const std::vector<TracedToken>& sources = trace.source.tokens;
  std::vector<Tokenizer::Copy> copies(targets.size());
  const absl::StatusOr<Alignment> alignment = AlignPieces(trace, {});
  if (!alignment.ok()) return copies;
  // The alignment leaves out <s>.
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

// A segment's translation and its pieces; ranges are positions in `text`.
struct Decoded {
  std::string text;
  Pieces pieces;
};

Decoded Decode(const Segment& segment, absl::Span<const Tokenizer::Copy> copies,
               const Tokenizer& tokenizer) {
  Decoded decoded;
  decoded.text = tokenizer.DecodeTarget(segment.hypothesis.ids, copies, &decoded.pieces);
  return decoded;
}

void AddSegment(Segment& segment, const TranslateOptions& options, const ModelConfig& config,
                const Tokenizer& tokenizer, Assembly& assembly, Translation& translation) {
  const Hypothesis& found = segment.hypothesis;
  Decoded decoded = segment.given.has_value()
                        ? Decoded{std::move(segment.given->text), std::move(segment.given->pieces)}
                        : Decode(segment, {}, tokenizer);
  if (options.trace.has_value()) {
    SentenceTrace trace =
        TakeTrace(assembly.document(), segment, decoded.text, decoded.pieces, config, tokenizer);
    if (options.replace_unknowns) {
      decoded = Decode(segment, CopiesForUnknowns(trace, config.target_unk_id), tokenizer);
      trace.target = TraceTarget(decoded.text, decoded.pieces, found, config);
    }
    translation.traces.push_back(std::move(trace));
  }
  const size_t begin = assembly.Add(segment, decoded.text);
  if (options.trace.has_value()) translation.traces.back().target.begin = begin;
  translation.score += AppendTokens(found, std::move(decoded.pieces), &translation.tokens);
  if (!found.finished) ++translation.unfinished_sentences;
}

}  // namespace

Translation Assemble(Document document, const TranslateOptions& options, const ModelConfig& config,
                     const Tokenizer& tokenizer) {
  Translation translation;
  translation.status = document.status;
  if (!document.status.ok()) return translation;
  translation.replaced_invalid_utf8 = document.replaced_invalid_utf8;
  translation.unknown_language_code = document.unknown_language_code;
  translation.cut_sentences = document.cut_sentences;
  translation.sentences = static_cast<int>(document.segments.size());
  if (WantsSeveral(options.search)) {
    translation.nbest = AssembleNBest(document, options.search, tokenizer);
  }
  Assembly assembly(document);
  for (Segment& segment : document.segments) {
    AddSegment(segment, options, config, tokenizer, assembly, translation);
  }
  assembly.Finish();
  translation.text = assembly.TakeText();
  translation.copies = assembly.TakeCopies();
  translation.source = std::move(document.text);
  return translation;
}

}  // namespace limpid::internal

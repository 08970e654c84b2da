#include "engine/text/prepare.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// A first token such as ">>fra<<" tells a multilingual model which language to translate into. At
// the beginning of a text, it applies to all segments.
struct LanguageCode {
  int id = -1;  // -1: none
  std::string text;
};

// Converts ranges within a part of a text that begins at `by` to ranges of the whole text.
void Shift(size_t by, std::vector<ByteRange>& ranges) {
  for (ByteRange& range : ranges) range = {range.begin + by, range.end + by};
}

// Maximum pieces per segment, without special tokens.
size_t MaxPieces(const ModelConfig& config) {
  return config.max_source_tokens - (config.source_bos_id >= 0 ? 1 : 0) -
         (config.source_eos_id >= 0 ? 1 : 0);
}

// Makes a segment of pieces [begin, end) of a sentence, without special tokens.
Segment Cut(ByteRange sentence, const Pieces& pieces, size_t begin, size_t end) {
  Segment segment;
  segment.text.begin = begin == 0 ? sentence.begin : pieces.ranges[begin].begin;
  segment.text.end = end == pieces.size() ? sentence.end : pieces.ranges[end - 1].end;
  for (size_t i = begin; i < end; ++i) {
    segment.source.Add(pieces.ids[i], pieces.texts[i], pieces.ranges[i]);
  }
  return segment;
}

// Whether to copy a sentence because no letter of it is in the vocabulary: models turn punctuation,
// numbers and unknown scripts into nonsense. Byte-fallback pieces do not count as known. If the
// vocabulary has no letters at all, as in a toy model: whether anything is unknown.
bool ShouldCopy(std::string_view text, const Pieces& pieces, const ModelConfig& config,
                const Tokenizer& tokenizer) {
  bool has_known = false;
  bool has_unknown = false;
  for (size_t i = 0; i < pieces.size(); ++i) {
    if (pieces.ranges[i].empty()) continue;  // a lone space
    const bool known =
        pieces.ids[i] != config.source_unk_id && !ByteOfPiece(pieces.texts[i]).has_value();
    if (known && IsLanguageCode(pieces.texts[i])) continue;
    if (known && HasLetter(pieces.ranges[i].In(text))) return false;
    (known ? has_known : has_unknown) = true;
  }
  return tokenizer.SourceHasLetters() || has_unknown || !has_known;
}

// Adds a sentence to a document: as text to copy, or as segments, several if it is too long for the
// model.
void AddSentence(ByteRange sentence, const LanguageCode& code, const ModelConfig& config,
                 const Tokenizer& tokenizer, Document& document) {
  Pieces pieces = tokenizer.SplitSource(sentence.In(document.text));
  Shift(sentence.begin, pieces.ranges);
  if (ShouldCopy(document.text, pieces, config, tokenizer)) {
    document.copied.push_back(sentence);
    return;
  }
  // With one piece per segment there is no room for the code.
  const bool has_code = code.id >= 0 && MaxPieces(config) > 1;
  const std::vector<size_t> ends =
      CutLongSentence(pieces.texts, MaxPieces(config) - (has_code ? 1 : 0));
  if (ends.size() > 1) ++document.cut_sentences;
  size_t begin = 0;
  for (const size_t end : ends) {
    Segment segment = Cut(sentence, pieces, begin, end);
    segment.starts_text = document.segments.empty();
    // A sentence may have a code of its own.
    if (has_code && !IsLanguageCode(segment.source.texts.front())) {
      segment.source.PutFirst(code.id, code.text, {segment.text.begin, segment.text.begin});
    }
    tokenizer.AddSourceSpecialTokens(segment.text, segment.source);
    document.segments.push_back(std::move(segment));
    begin = end;
  }
}

// Finds the language code at the beginning of a text and records its range in the document.
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

// The sentences of a text, without its language code.
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

// Fails if the model cannot take a pair.
absl::Status CheckPair(const Segment& segment, const ModelConfig& config) {
  const size_t sources = segment.source.size();
  const size_t targets = segment.hypothesis.ids.size();
  if (sources == 0) {
    return absl::InvalidArgumentError("the source is empty; this model needs at least one token");
  }
  if (std::max(sources, targets) <= static_cast<size_t>(config.max_positions)) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(absl::StrCat(
      "the ", sources > targets ? "source" : "translation", " has ", std::max(sources, targets),
      " tokens; the model takes at most ", config.max_positions));
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
  if (options.trace.has_value()) {
    for (Segment& segment : document.segments) FindWords(document, segment);
  }
  return document;
}

Document PreparePair(const SentencePair& pair, const TranslateOptions& options,
                     const ModelConfig& config, const Tokenizer& tokenizer) {
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
  document.status = CheckPair(segment, config);
  if (!document.status.ok()) document.segments.clear();
  return document;
}

}  // namespace limpid::internal

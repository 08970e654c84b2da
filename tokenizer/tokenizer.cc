#include "tokenizer/tokenizer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <iterator>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "absl/hash/hash.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/moses.h"
#include "tokenizer/rewritten_text.h"
#include "tokenizer/sentencepiece_adapter.h"
#include "tokenizer/sentencepiece_check.h"
#include "tokenizer/subword_nmt.h"

namespace limpid {
namespace {

constexpr std::string_view kSpaceMark = "▁";

// The ids of one side's pieces.
class Vocabulary {
 public:
  // `side` is "source" or "target", for messages.
  static absl::StatusOr<std::shared_ptr<const Vocabulary>> Create(const std::string& side,
                                                                  std::vector<std::string> pieces,
                                                                  int bos_id, int eos_id,
                                                                  int unk_id);

  size_t size() const { return pieces_.size(); }
  const std::vector<std::string>& pieces() const { return pieces_; }
  const std::string& piece(int id) const {
    assert(id >= 0 && static_cast<size_t>(id) < pieces_.size());
    return pieces_[id];
  }
  int bos_id() const { return bos_id_; }
  int eos_id() const { return eos_id_; }
  int unk_id() const { return unk_id_; }

  bool Has(std::string_view piece) const { return ids_.contains(piece); }
  // The id of `piece`, or unk_id().
  int Id(std::string_view piece) const {
    const auto found = ids_.find(piece);
    return found == ids_.end() ? unk_id_ : found->second;
  }
  // Whether the id stands for no text.
  bool IsSpecial(int id) const { return id == eos_id_ || id == unk_id_ || id == pad_id_; }

 private:
  explicit Vocabulary(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  const std::vector<std::string> pieces_;
  // Views of pieces_. Not one of Abseil's maps: they are broken where memory runs out, even to be
  // destroyed.
  std::unordered_map<std::string_view, int, absl::Hash<std::string_view>> ids_;
  int bos_id_ = -1;
  int eos_id_ = 0;
  int unk_id_ = 0;
  int pad_id_ = -1;
};

absl::StatusOr<std::shared_ptr<const Vocabulary>> Vocabulary::Create(
    const std::string& side, std::vector<std::string> pieces, int bos_id, int eos_id, int unk_id) {
  if (pieces.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the ", side, " vocabulary is empty"));
  }
  const auto size = static_cast<int>(pieces.size());
  const int least_eos_id = side == "source" ? -1 : 0;
  for (const auto& [name, id, least] :
       {std::tuple("<s>", bos_id, -1), std::tuple("</s>", eos_id, least_eos_id),
        std::tuple("<unk>", unk_id, 0)}) {
    if (id >= least && id < size) continue;
    return absl::InvalidArgumentError(absl::StrCat("the id of ", name, " in the ", side,
                                                   " vocabulary is ", id, "; expected ", least,
                                                   " to ", size - 1));
  }
  std::shared_ptr<Vocabulary> vocabulary(new Vocabulary(std::move(pieces)));
  vocabulary->bos_id_ = bos_id;
  vocabulary->eos_id_ = eos_id;
  vocabulary->unk_id_ = unk_id;
  vocabulary->ids_.reserve(size);
  for (int id = 0; id < size; ++id) {
    const auto [found, is_new] = vocabulary->ids_.emplace(vocabulary->pieces_[id], id);
    if (is_new) continue;
    return absl::InvalidArgumentError(absl::StrCat("the ", side, " vocabulary has the piece \"",
                                                   vocabulary->pieces_[id], "\" twice, as ids ",
                                                   found->second, " and ", id));
  }
  const auto pad = vocabulary->ids_.find("<pad>");
  if (pad != vocabulary->ids_.end()) vocabulary->pad_id_ = pad->second;
  return vocabulary;
}

void AddPiece(int id, std::string text, ByteRange range, Pieces& pieces) {
  pieces.ids.push_back(id);
  pieces.texts.push_back(std::move(text));
  pieces.ranges.push_back(range);
}

void AddBeginningOfSentence(const Vocabulary& vocabulary, Pieces& pieces) {
  const int id = vocabulary.bos_id();
  if (id >= 0) AddPiece(id, vocabulary.piece(id), {0, 0}, pieces);
}

void AddEndOfSentence(const Vocabulary& vocabulary, size_t text_size, Pieces& pieces) {
  const int id = vocabulary.eos_id();
  if (id < 0) return;
  AddPiece(id, vocabulary.piece(id), {text_size, text_size}, pieces);
}

// Adds the language code that a source begins with, ">>xx<<", if the vocabulary has it, and returns
// how long it is.
size_t AddLanguageCode(std::string_view text, const Vocabulary& vocabulary, Pieces& pieces) {
  if (!text.starts_with(">>")) return 0;
  const size_t end = text.find("<<");
  const std::string_view code = text.substr(0, end == std::string_view::npos ? 0 : end + 2);
  if (!vocabulary.Has(code)) return 0;
  AddPiece(vocabulary.Id(code), std::string(code), {0, code.size()}, pieces);
  return code.size();
}

// Text that comes split into pieces by spaces.
class SpaceTokenizer : public Tokenizer {
 public:
  SpaceTokenizer(std::shared_ptr<const Vocabulary> source, std::shared_ptr<const Vocabulary> target)
      : source_(std::move(source)), target_(std::move(target)) {}

  Pieces EncodeSource(std::string_view text) const override { return Encode(text, *source_); }
  Pieces EncodeTarget(std::string_view text) const override { return Encode(text, *target_); }
  const std::string& TargetPiece(int id) const override { return target_->piece(id); }

  std::string DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const override {
    if (pieces != nullptr) *pieces = {};
    std::string text;
    for (const int id : ids) {
      const std::string& piece = target_->piece(id);
      const bool special = target_->IsSpecial(id);
      if (!special) {
        if (!text.empty()) text += ' ';
        text += piece;
      }
      if (pieces == nullptr) continue;
      AddPiece(id, piece, {text.size() - (special ? 0 : piece.size()), text.size()}, *pieces);
    }
    return text;
  }

 private:
  static Pieces Encode(std::string_view text, const Vocabulary& vocabulary) {
    constexpr std::string_view kSpaces = " \t";
    Pieces pieces;
    AddBeginningOfSentence(vocabulary, pieces);
    size_t begin = text.find_first_not_of(kSpaces);
    while (begin != std::string_view::npos) {
      const size_t end = std::min(text.find_first_of(kSpaces, begin), text.size());
      const std::string_view piece = text.substr(begin, end - begin);
      AddPiece(vocabulary.Id(piece), std::string(piece), {begin, end}, pieces);
      begin = text.find_first_not_of(kSpaces, end);
    }
    AddEndOfSentence(vocabulary, text.size(), pieces);
    return pieces;
  }

  const std::shared_ptr<const Vocabulary> source_;
  const std::shared_ptr<const Vocabulary> target_;
};

// Returns whether a normalizer may make a space, or nothing, of a character.
bool IsSpaceLike(UChar32 c) {
  const int8_t type = u_charType(c);
  return u_isspace(c) || type == U_CONTROL_CHAR || type == U_FORMAT_CHAR || c == 0x2581 ||
         c == 0xFFFD;
}

size_t CharacterEnd(std::string_view text, size_t at) {
  U8_FWD_1(text, at, text.size());
  return at;
}

// The bytes of `text` that a piece covers, from those that SentencePiece says: without what the "▁"
// at the start of the piece stands for.
ByteRange WithoutSpace(std::string_view text, std::string_view piece, ByteRange range) {
  std::string_view core = piece;
  while (core.starts_with(kSpaceMark)) core.remove_prefix(kSpaceMark.size());
  if (core.empty()) return {range.end, range.end};
  if (core.size() < piece.size()) {
    while (!range.empty()) {
      size_t next = range.begin;
      UChar32 c = 0;
      U8_NEXT(text, next, range.end, c);
      const bool covered = core.starts_with(text.substr(range.begin, next - range.begin));
      if (covered || !IsSpaceLike(c)) break;
      range.begin = next;
    }
  }
  return range;
}

// Where several pieces stand for parts of one character of the text (the bytes of an emoji, the
// letters of a ligature), SentencePiece gives the character to the last of them; here each covers
// it.
void ShareCharacters(std::string_view text, Pieces& pieces) {
  for (size_t i = pieces.size(); i-- > 1;) {
    ByteRange& range = pieces.ranges[i - 1];
    const ByteRange& next = pieces.ranges[i];
    const bool stands_for_text = pieces.texts[i - 1] != kSpaceMark;
    if (range.empty() && stands_for_text && next.begin == range.begin && !next.empty()) {
      range.end = std::min(CharacterEnd(text, range.begin), next.end);
    }
  }
}

// Returns whether a piece is SentencePiece's for a byte, "<0x00>" … "<0xFF>".
bool IsByte(std::string_view piece) {
  return piece.size() == 6 && piece.starts_with("<0x") && piece.ends_with('>');
}

// The text of pieces, and which of its bytes each covers, the space before it included.
struct JoinedPieces {
  std::string text;
  std::vector<ByteRange> ranges;
};

JoinedPieces Join(const SentencePieceAdapter& sentencepiece,
                  const std::vector<std::string_view>& pieces) {
  JoinedPieces joined;
  joined.ranges.reserve(pieces.size());
  for (std::string_view surface : sentencepiece.Decode(pieces)) {
    const size_t begin = joined.text.size();
    // SentencePiece leaves the mark in pieces that it does not know.
    for (size_t mark = surface.find(kSpaceMark); mark != std::string_view::npos;
         mark = surface.find(kSpaceMark)) {
      joined.text += surface.substr(0, mark);
      joined.text += ' ';
      surface.remove_prefix(mark + kSpaceMark.size());
    }
    joined.text += surface;
    joined.ranges.push_back({begin, joined.text.size()});
  }
  // SentencePiece gives a character to the last of its bytes.
  for (size_t i = pieces.size(); i-- > 1;) {
    if (joined.ranges[i - 1].empty() && IsByte(pieces[i - 1])) {
      joined.ranges[i - 1] = joined.ranges[i];
    }
  }
  return joined;
}

class SentencePieceTokenizer : public Tokenizer {
 public:
  struct Side {
    std::shared_ptr<const Vocabulary> vocabulary;
    std::shared_ptr<const SentencePieceAdapter> sentencepiece;
  };

  SentencePieceTokenizer(Side source, Side target)
      : source_(std::move(source)), target_(std::move(target)) {}

  Pieces EncodeSource(std::string_view text) const override {
    Pieces pieces;
    AddBeginningOfSentence(*source_.vocabulary, pieces);
    const size_t code_size = AddLanguageCode(text, *source_.vocabulary, pieces);
    Encode(text, code_size, source_, pieces);
    return pieces;
  }

  Pieces EncodeTarget(std::string_view text) const override {
    Pieces pieces;
    Encode(text, 0, target_, pieces);
    return pieces;
  }

  std::string DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const override;
  const std::string& TargetPiece(int id) const override { return target_.vocabulary->piece(id); }

 private:
  // Adds the pieces of text[begin …] and </s>.
  static void Encode(std::string_view text, size_t begin, const Side& side, Pieces& pieces);

  const Side source_;
  const Side target_;
};

void SentencePieceTokenizer::Encode(std::string_view text, size_t begin, const Side& side,
                                    Pieces& pieces) {
  std::vector<SentencePieceAdapter::Piece> encoded = side.sentencepiece->Encode(text.substr(begin));
  pieces.ids.reserve(pieces.size() + encoded.size() + 1);
  pieces.texts.reserve(pieces.ids.capacity());
  pieces.ranges.reserve(pieces.ids.capacity());
  for (SentencePieceAdapter::Piece& piece : encoded) {
    const ByteRange range =
        WithoutSpace(text, piece.text, {begin + piece.begin, begin + piece.end});
    const int id = side.vocabulary->Id(piece.text);
    AddPiece(id, std::move(piece.text), range, pieces);
  }
  ShareCharacters(text, pieces);
  AddEndOfSentence(*side.vocabulary, text.size(), pieces);
}

std::string SentencePieceTokenizer::DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const {
  const Vocabulary& vocabulary = *target_.vocabulary;
  std::vector<std::string_view> spoken;
  spoken.reserve(ids.size());
  for (const int id : ids) {
    if (!vocabulary.IsSpecial(id)) spoken.push_back(vocabulary.piece(id));
  }
  const JoinedPieces joined = Join(*target_.sentencepiece, spoken);
  const ByteRange kept = TrimWhiteSpace(joined.text);
  std::string text(kept.In(joined.text));
  if (pieces == nullptr) return text;

  *pieces = {};
  ByteRange range;
  auto next_range = joined.ranges.begin();
  for (const int id : ids) {
    range.begin = range.end;
    if (!vocabulary.IsSpecial(id)) {
      range.begin = std::clamp(next_range->begin, kept.begin, kept.end) - kept.begin;
      range.end = std::clamp(next_range->end, kept.begin, kept.end) - kept.begin;
      range = WithoutSpace(text, vocabulary.piece(id), range);
      ++next_range;
    }
    AddPiece(id, vocabulary.piece(id), range, *pieces);
  }
  return text;
}

// Moses' tokenizer, then subword-nmt, as Argos Translate has them.
class SubwordTokenizer : public Tokenizer {
 public:
  struct Side {
    std::shared_ptr<const Vocabulary> vocabulary;
    std::string language;
  };

  SubwordTokenizer(Side source, Side target, std::shared_ptr<const SubwordNmt> merges)
      : source_(std::move(source)), target_(std::move(target)), merges_(std::move(merges)) {}

  Pieces EncodeSource(std::string_view text) const override {
    Pieces pieces;
    AddBeginningOfSentence(*source_.vocabulary, pieces);
    const size_t code_size = AddLanguageCode(text, *source_.vocabulary, pieces);
    Encode(text, code_size, source_, pieces);
    return pieces;
  }

  Pieces EncodeTarget(std::string_view text) const override {
    Pieces pieces;
    Encode(text, 0, target_, pieces);
    return pieces;
  }

  std::string DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const override;
  const std::string& TargetPiece(int id) const override { return target_.vocabulary->piece(id); }

 private:
  // Adds the pieces of text[begin …] and </s>.
  void Encode(std::string_view text, size_t begin, const Side& side, Pieces& pieces) const;

  const Side source_;
  const Side target_;
  const std::shared_ptr<const SubwordNmt> merges_;
};

void SubwordTokenizer::Encode(std::string_view text, size_t begin, const Side& side,
                              Pieces& pieces) const {
  const RewrittenText tokens = MosesTokenize(text.substr(begin), side.language);
  const std::string_view words = tokens.text();
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = words.substr(at, end - at);
    for (const ByteRange& part : merges_->Cut(word)) {
      std::string piece(part.In(word));
      if (part.end < word.size()) piece += kContinues;
      const ByteRange range = tokens.InOriginal({at + part.begin, at + part.end});
      const int id = side.vocabulary->Id(piece);
      AddPiece(id, std::move(piece), {begin + range.begin, begin + range.end}, pieces);
    }
    at = end + 1;
  }
  AddEndOfSentence(*side.vocabulary, text.size(), pieces);
}

std::string SubwordTokenizer::DecodeTarget(absl::Span<const int> ids, Pieces* pieces) const {
  const Vocabulary& vocabulary = *target_.vocabulary;
  std::string tokens;
  std::vector<ByteRange> ranges;  // in `tokens`
  for (const int id : ids) {
    std::string_view piece = vocabulary.IsSpecial(id) ? std::string_view() : vocabulary.piece(id);
    const bool ends_word = !piece.empty() && !piece.ends_with(kContinues);
    if (piece.ends_with(kContinues)) piece.remove_suffix(kContinues.size());
    ranges.push_back({tokens.size(), tokens.size() + piece.size()});
    tokens += piece;
    if (ends_word) tokens += ' ';
  }
  const RewrittenText text = MosesDetokenize(tokens, target_.language);
  if (pieces == nullptr) return text.text();

  *pieces = {};
  size_t end = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    ByteRange range = ranges[i].empty() ? ByteRange{end, end} : text.InText(ranges[i]);
    AddPiece(ids[i], vocabulary.piece(ids[i]), range, *pieces);
    end = range.end;
  }
  return text.text();
}

absl::StatusOr<std::shared_ptr<const SentencePieceAdapter>> LoadSentencePiece(
    const std::string& side, const std::string& model) {
  const absl::Status status = CheckSentencePiece(model);
  std::string error(status.message());
  if (status.ok()) {
    std::shared_ptr<const SentencePieceAdapter> loaded = SentencePieceAdapter::Load(model, error);
    if (loaded != nullptr) return loaded;
  }
  return absl::InvalidArgumentError(
      absl::StrCat("the ", side, " SentencePiece model cannot be used: ", error));
}

}  // namespace

absl::StatusOr<std::unique_ptr<Tokenizer>> Tokenizer::Create(TokenizerModel model) {
  if (model.source_sentencepiece.empty() != model.target_sentencepiece.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(
        "there is no SentencePiece model for the ",
        model.source_sentencepiece.empty() ? "source" : "target",
        ", only one for the other side; expected one for each, or none for text that comes split "
        "into pieces"));
  }
  if (!model.source_sentencepiece.empty() && !model.subword_merges.empty()) {
    return absl::InvalidArgumentError(
        "there are a SentencePiece model and subword-nmt's merges; expected one of the two");
  }
  auto source = Vocabulary::Create("source", std::move(model.source_vocabulary),
                                   model.source_bos_id, model.source_eos_id, model.source_unk_id);
  if (!source.ok()) return source.status();
  auto target = source;
  if (model.target_vocabulary != (*source)->pieces() || model.source_bos_id >= 0 ||
      model.target_eos_id != model.source_eos_id || model.target_unk_id != model.source_unk_id) {
    target = Vocabulary::Create("target", std::move(model.target_vocabulary), -1,
                                model.target_eos_id, model.target_unk_id);
    if (!target.ok()) return target.status();
  }
  if (!model.subword_merges.empty()) {
    auto merges = SubwordNmt::Parse(model.subword_merges);
    if (!merges.ok()) return merges.status();
    return std::make_unique<SubwordTokenizer>(
        SubwordTokenizer::Side{*std::move(source), std::move(model.source_language)},
        SubwordTokenizer::Side{*std::move(target), std::move(model.target_language)},
        *std::move(merges));
  }
  if (model.source_sentencepiece.empty()) {
    return std::make_unique<SpaceTokenizer>(*std::move(source), *std::move(target));
  }
  auto source_sentencepiece = LoadSentencePiece("source", model.source_sentencepiece);
  if (!source_sentencepiece.ok()) return source_sentencepiece.status();
  auto target_sentencepiece = source_sentencepiece;
  if (model.target_sentencepiece != model.source_sentencepiece) {
    target_sentencepiece = LoadSentencePiece("target", model.target_sentencepiece);
    if (!target_sentencepiece.ok()) return target_sentencepiece.status();
  }
  return std::make_unique<SentencePieceTokenizer>(
      SentencePieceTokenizer::Side{*std::move(source), *std::move(source_sentencepiece)},
      SentencePieceTokenizer::Side{*std::move(target), *std::move(target_sentencepiece)});
}

}  // namespace limpid

#include "tokenizer/tokenizer.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <iterator>
#include <optional>
#include <set>
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

namespace limpid::internal {
namespace {

constexpr std::string_view kSpaceMark = "▁";

// Calls `with` with each code point of `text` that is no ASCII, and the bytes it stands at.
template <typename With>
void ForEachBeyondAscii(std::string_view text, With with) {
  for (size_t at = 0; at < text.size();) {
    const size_t begin = at;
    UChar32 c = 0;
    U8_NEXT(text, at, text.size(), c);
    if (c >= 0x80) with(c, ByteRange{begin, at});
  }
}

// Code points that are not drawn: soft hyphens, joiners, byte order marks …
bool IsIgnorable(UChar32 c) {
  return u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT) != 0;
}

// Whether a piece is spelled as one that stands for no text: "</s>", "[PAD]", ">>deu<<", "".
bool IsSpelledAsMark(std::string_view piece) {
  return piece.empty() || (piece.starts_with('<') && piece.ends_with('>')) ||
         (piece.starts_with('[') && piece.ends_with(']')) || IsLanguageCode(piece);
}

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
  // The id of a piece of text, or unk_id(): never one that tells the model something, however the
  // text is spelled.
  int TextId(std::string_view piece) const {
    const int id = Id(piece);
    const bool is_control = IsSpecial(id) || id == bos_id_ || piece == "<s>" || piece == "</s>" ||
                            IsLanguageCode(piece);
    return is_control ? unk_id_ : id;
  }
  // Whether the id stands for no text.
  bool IsSpecial(int id) const { return id == eos_id_ || id == unk_id_ || id == pad_id_; }
  bool has_letters() const { return has_letters_; }
  bool HasIgnorable(UChar32 c) const { return ignorables_.contains(c); }

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
  bool has_letters_ = false;      // in some piece of text
  std::set<UChar32> ignorables_;  // code points that are not drawn, of which a piece has one
};

absl::StatusOr<std::shared_ptr<const Vocabulary>> Vocabulary::Create(
    const std::string& side, std::vector<std::string> pieces, int bos_id, int eos_id, int unk_id) {
  if (pieces.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the ", side, " vocabulary is empty"));
  }
  const auto size = static_cast<int>(pieces.size());
  const int min_eos_id = side == "source" ? -1 : 0;
  for (const auto& [name, id, least] :
       {std::tuple("<s>", bos_id, -1), std::tuple("</s>", eos_id, min_eos_id),
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
  for (const std::string& piece : vocabulary->pieces_) {
    ForEachBeyondAscii(piece, [&](UChar32 c, ByteRange) {
      if (IsIgnorable(c)) vocabulary->ignorables_.insert(c);
    });
    if (!vocabulary->has_letters_ && !IsSpelledAsMark(piece)) {
      vocabulary->has_letters_ = HasLetter(piece);
    }
  }
  return vocabulary;
}

std::string WithSingleSpaces(std::string_view text) {
  std::string single;
  for (const char c : text) {
    if (c != ' ' || !single.ends_with(' ')) single += c;
  }
  return single;
}

// Text without the code points that are not drawn and that the vocabulary does not have either: a
// soft hyphen would keep the model from a word that it knows. Those of an emoji belong to it.
RewrittenText WithoutIgnorables(std::string_view text, const Vocabulary& vocabulary) {
  std::vector<RewrittenText::Edit> edits;
  ByteRange emoji;  // what belongs to one ends here
  ForEachBeyondAscii(text, [&](UChar32 c, ByteRange range) {
    const bool of_emoji = !emoji.empty() && emoji.end == range.begin;
    if (!IsIgnorable(c)) {
      const bool is_emoji = u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC) != 0 ||
                            u_hasBinaryProperty(c, UCHAR_EMOJI_MODIFIER) != 0;
      if (is_emoji) emoji = range;
    } else if (of_emoji) {
      emoji.end = range.end;
    } else if (!vocabulary.HasIgnorable(c)) {
      edits.push_back({range, ""});
    }
  });
  RewrittenText rewritten(text);
  rewritten.Apply(edits);
  return rewritten;
}

bool HasIgnorables(std::string_view text) {
  bool has = false;
  ForEachBeyondAscii(text, [&](UChar32 c, ByteRange) { has = has || IsIgnorable(c); });
  return has;
}

bool IsCopy(absl::Span<const Tokenizer::Copy> copies, size_t token) {
  return !copies.empty() && !copies[token].text.empty();
}

// What all tokenizers share: marks at the ends of a text, and what is no text.
class VocabularyTokenizer : public Tokenizer {
 public:
  VocabularyTokenizer(std::shared_ptr<const Vocabulary> source,
                      std::shared_ptr<const Vocabulary> target)
      : source_(std::move(source)), target_(std::move(target)) {}

  Pieces EncodeSource(std::string_view text) const override;
  Pieces EncodeTarget(std::string_view text) const override {
    Pieces pieces = EncodeText(text, Side::kTarget);
    AddEndOfSentence(*target_, text.size(), pieces);
    return pieces;
  }
  size_t LanguageCodeSize(std::string_view text) const override;
  bool SourceHasLetters() const override { return source_->has_letters(); }
  const std::string& TargetPiece(int id) const override { return target_->piece(id); }

 protected:
  enum class Side { kSource, kTarget };

  // The pieces of text, and nothing else.
  virtual Pieces Encode(std::string_view text, Side side) const = 0;

  const Vocabulary& source() const { return *source_; }
  const Vocabulary& target() const { return *target_; }
  const Vocabulary& vocabulary(Side side) const {
    return side == Side::kSource ? *source_ : *target_;
  }

 private:
  Pieces EncodeText(std::string_view text, Side side) const;
  static void AddEndOfSentence(const Vocabulary& vocabulary, size_t text_size, Pieces& pieces);

  const std::shared_ptr<const Vocabulary> source_;
  const std::shared_ptr<const Vocabulary> target_;
};

Pieces VocabularyTokenizer::EncodeSource(std::string_view text) const {
  const size_t code_size = LanguageCodeSize(text);
  Pieces pieces = EncodeText(text.substr(code_size), Side::kSource);
  if (code_size > 0) {
    for (ByteRange& range : pieces.ranges) {
      range = {range.begin + code_size, range.end + code_size};
    }
    const std::string code(text.substr(0, code_size));
    pieces.PutFirst(source_->Id(code), code, {0, code_size});
  }
  const int bos_id = source_->bos_id();
  if (bos_id >= 0) pieces.PutFirst(bos_id, source_->piece(bos_id), {0, 0});
  AddEndOfSentence(*source_, text.size(), pieces);
  return pieces;
}

Pieces VocabularyTokenizer::EncodeText(std::string_view text, Side side) const {
  if (!HasIgnorables(text)) return Encode(text, side);
  const RewrittenText read = WithoutIgnorables(text, vocabulary(side));
  Pieces pieces = Encode(read.text(), side);
  for (ByteRange& range : pieces.ranges) range = read.InOriginal(range);
  return pieces;
}

void VocabularyTokenizer::AddEndOfSentence(const Vocabulary& vocabulary, size_t text_size,
                                           Pieces& pieces) {
  const int id = vocabulary.eos_id();
  if (id >= 0) pieces.Add(id, vocabulary.piece(id), {text_size, text_size});
}

size_t VocabularyTokenizer::LanguageCodeSize(std::string_view text) const {
  if (!text.starts_with(">>")) return 0;
  const size_t end = text.find("<<");
  if (end == std::string_view::npos) return 0;
  const std::string_view code = text.substr(0, end + 2);
  return IsLanguageCode(code) && source_->Has(code) ? code.size() : 0;
}

// Text that comes split into pieces by spaces.
class SpaceTokenizer : public VocabularyTokenizer {
 public:
  using VocabularyTokenizer::VocabularyTokenizer;

  std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                           Pieces* pieces) const override {
    if (pieces != nullptr) *pieces = {};
    std::string text;
    for (size_t i = 0; i < ids.size(); ++i) {
      const std::string& piece = target().piece(ids[i]);
      std::string_view spoken = target().IsSpecial(ids[i]) ? std::string_view() : piece;
      if (IsCopy(copies, i)) spoken = copies[i].text;
      if (!spoken.empty() && !text.empty()) text += ' ';
      text += spoken;
      if (pieces == nullptr) continue;
      pieces->Add(ids[i], piece, {text.size() - spoken.size(), text.size()});
    }
    return text;
  }

  std::string TargetSpelling(int id) const override {
    return target().IsSpecial(id) ? "" : " " + target().piece(id);
  }
  std::string Spelling(std::string_view text) const override { return WithSingleSpaces(text); }

 private:
  Pieces Encode(std::string_view text, Side side) const override {
    constexpr std::string_view kSpaces = " \t";
    Pieces pieces;
    size_t begin = text.find_first_not_of(kSpaces);
    while (begin != std::string_view::npos) {
      const size_t end = std::min(text.find_first_of(kSpaces, begin), text.size());
      const std::string_view piece = text.substr(begin, end - begin);
      pieces.Add(vocabulary(side).TextId(piece), std::string(piece), {begin, end});
      begin = text.find_first_not_of(kSpaces, end);
    }
    return pieces;
  }
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

// The text of a piece, where SentencePiece's marks are spaces.
std::string WithSpaces(std::string_view piece) {
  std::string text;
  for (size_t mark = piece.find(kSpaceMark); mark != std::string_view::npos;
       mark = piece.find(kSpaceMark)) {
    text += piece.substr(0, mark);
    text += ' ';
    piece.remove_prefix(mark + kSpaceMark.size());
  }
  text += piece;
  return text;
}

// The text of tokens, and which of its bytes each covers, the space before it included.
struct JoinedPieces {
  std::string text;
  std::vector<ByteRange> ranges;
};

class SentencePieceTokenizer : public VocabularyTokenizer {
 public:
  SentencePieceTokenizer(std::shared_ptr<const Vocabulary> source,
                         std::shared_ptr<const Vocabulary> target,
                         std::shared_ptr<const SentencePieceAdapter> source_sentencepiece,
                         std::shared_ptr<const SentencePieceAdapter> target_sentencepiece)
      : VocabularyTokenizer(std::move(source), std::move(target)),
        source_sentencepiece_(std::move(source_sentencepiece)),
        target_sentencepiece_(std::move(target_sentencepiece)) {}

  std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                           Pieces* pieces) const override;

  std::string TargetSpelling(int id) const override {
    if (target().IsSpecial(id)) return "";
    const std::string& piece = target().piece(id);
    if (const std::optional<char> byte = ByteOfPiece(piece)) return {*byte};
    return WithSingleSpaces(WithSpaces(piece));
  }
  std::string Spelling(std::string_view text) const override {
    return WithSingleSpaces(WithSpaces(text));
  }

 private:
  Pieces Encode(std::string_view text, Side side) const override;
  JoinedPieces Join(absl::Span<const int> ids, absl::Span<const Copy> copies) const;

  const std::shared_ptr<const SentencePieceAdapter> source_sentencepiece_;
  const std::shared_ptr<const SentencePieceAdapter> target_sentencepiece_;
};

Pieces SentencePieceTokenizer::Encode(std::string_view text, Side side) const {
  const SentencePieceAdapter& sentencepiece =
      side == Side::kSource ? *source_sentencepiece_ : *target_sentencepiece_;
  std::vector<SentencePieceAdapter::Piece> encoded = sentencepiece.Encode(text);
  Pieces pieces;
  pieces.Reserve(encoded.size() + 1);
  for (SentencePieceAdapter::Piece& piece : encoded) {
    const ByteRange range = WithoutSpace(text, piece.text, {piece.begin, piece.end});
    const int id = vocabulary(side).TextId(piece.text);
    pieces.Add(id, std::move(piece.text), range);
  }
  ShareCharacters(text, pieces);
  return pieces;
}

// What takes the place of copies while SentencePiece joins pieces, for which it must be unknown.
constexpr std::string_view kCopyMark = "\x01copy\x01";

JoinedPieces SentencePieceTokenizer::Join(absl::Span<const int> ids,
                                          absl::Span<const Copy> copies) const {
  std::vector<std::string_view> spoken;
  std::vector<size_t> places;  // of those in `ids`
  for (size_t i = 0; i < ids.size(); ++i) {
    if (target().IsSpecial(ids[i]) && !IsCopy(copies, i)) continue;
    const std::string_view piece = target().piece(ids[i]);
    spoken.push_back(IsCopy(copies, i) ? kCopyMark : piece);
    places.push_back(i);
  }
  const std::vector<std::string> surfaces = target_sentencepiece_->Decode(spoken);
  JoinedPieces joined;
  joined.ranges.resize(ids.size());
  for (size_t i = 0; i < spoken.size(); ++i) {
    const size_t place = places[i];
    const bool behind_space = joined.text.empty() || joined.text.ends_with(' ');
    std::string surface;
    if (IsCopy(copies, place)) {
      const bool has_space = copies[place].piece.starts_with(kSpaceMark) && !behind_space;
      surface = (has_space ? " " : "") + copies[place].text;
    } else {
      // SentencePiece leaves the mark in pieces that it does not know.
      surface = WithSpaces(surfaces[i]);
      // A token without text between two spaces leaves one of them.
      const bool skipped = place > 0 && (i == 0 || places[i - 1] + 1 < place);
      if (skipped && behind_space && surface.starts_with(' ')) surface.erase(0, 1);
    }
    joined.ranges[place] = {joined.text.size(), joined.text.size() + surface.size()};
    joined.text += surface;
  }
  // SentencePiece gives a character to the last of its bytes.
  for (size_t i = spoken.size(); i-- > 1;) {
    ByteRange& range = joined.ranges[places[i - 1]];
    if (range.empty() && ByteOfPiece(spoken[i - 1]).has_value()) {
      range = joined.ranges[places[i]];
    }
  }
  return joined;
}

std::string SentencePieceTokenizer::DecodeTarget(absl::Span<const int> ids,
                                                 absl::Span<const Copy> copies,
                                                 Pieces* pieces) const {
  const JoinedPieces joined = Join(ids, copies);
  const ByteRange kept = TrimWhiteSpace(joined.text);
  std::string text(kept.In(joined.text));
  if (pieces == nullptr) return text;

  *pieces = {};
  ByteRange range;
  for (size_t i = 0; i < ids.size(); ++i) {
    const std::string& piece = target().piece(ids[i]);
    const bool is_copy = IsCopy(copies, i);
    range.begin = range.end;
    if (is_copy || !target().IsSpecial(ids[i])) {
      range.begin = std::clamp(joined.ranges[i].begin, kept.begin, kept.end) - kept.begin;
      range.end = std::clamp(joined.ranges[i].end, kept.begin, kept.end) - kept.begin;
      range = is_copy ? ByteRange{range.end - copies[i].text.size(), range.end}
                      : WithoutSpace(text, piece, range);
    }
    pieces->Add(ids[i], piece, range);
  }
  return text;
}

// Moses' tokenizer, then subword-nmt, as Argos Translate has them.
class SubwordTokenizer : public VocabularyTokenizer {
 public:
  SubwordTokenizer(std::shared_ptr<const Vocabulary> source,
                   std::shared_ptr<const Vocabulary> target, std::string source_language,
                   std::string target_language, std::shared_ptr<const SubwordNmt> merges)
      : VocabularyTokenizer(std::move(source), std::move(target)),
        source_language_(std::move(source_language)),
        target_language_(std::move(target_language)),
        merges_(std::move(merges)) {}

  std::string DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                           Pieces* pieces) const override;

  // Moses' detokenizer moves spaces, so that they do not count.
  std::string TargetSpelling(int id) const override {
    if (target().IsSpecial(id)) return "";
    std::string_view piece = target().piece(id);
    if (piece.ends_with(kContinues)) piece.remove_suffix(kContinues.size());
    if (piece.find_first_of("&@") == std::string_view::npos) return Spelling(piece);
    return Spelling(MosesDetokenize(piece, target_language_).text());  // "&apos;"
  }
  std::string Spelling(std::string_view text) const override {
    std::string spelling(text);
    std::erase(spelling, ' ');
    return spelling;
  }

 private:
  Pieces Encode(std::string_view text, Side side) const override;

  const std::string source_language_;
  const std::string target_language_;
  const std::shared_ptr<const SubwordNmt> merges_;
};

Pieces SubwordTokenizer::Encode(std::string_view text, Side side) const {
  const RewrittenText tokens =
      MosesTokenize(text, side == Side::kSource ? source_language_ : target_language_);
  const std::string_view words = tokens.text();
  Pieces pieces;
  for (size_t at = 0; at < words.size();) {
    const size_t end = std::min(words.find(' ', at), words.size());
    const std::string_view word = words.substr(at, end - at);
    for (const ByteRange& part : merges_->Cut(word)) {
      std::string piece(part.In(word));
      if (part.end < word.size()) piece += kContinues;
      const ByteRange range = tokens.InOriginal({at + part.begin, at + part.end});
      const int id = vocabulary(side).TextId(piece);
      pieces.Add(id, std::move(piece), range);
    }
    at = end + 1;
  }
  return pieces;
}

// A copied piece as Moses' tokenizer would have written it.
std::string AsToken(const Tokenizer::Copy& copy) {
  std::string token;
  for (const char c : copy.text) {
    if (c == '&') {
      token += "&amp;";
    } else {
      token += c;
    }
  }
  if (copy.piece.ends_with(kContinues)) token += kContinues;
  return token;
}

std::string SubwordTokenizer::DecodeTarget(absl::Span<const int> ids, absl::Span<const Copy> copies,
                                           Pieces* pieces) const {
  std::string tokens;
  std::vector<ByteRange> ranges;  // in `tokens`
  for (size_t i = 0; i < ids.size(); ++i) {
    std::string token = target().IsSpecial(ids[i]) ? "" : target().piece(ids[i]);
    if (IsCopy(copies, i)) token = AsToken(copies[i]);
    std::string_view piece = token;
    const bool ends_word = !piece.empty() && !piece.ends_with(kContinues);
    if (piece.ends_with(kContinues)) piece.remove_suffix(kContinues.size());
    ranges.push_back({tokens.size(), tokens.size() + piece.size()});
    tokens += piece;
    if (ends_word) tokens += ' ';
  }
  const RewrittenText text = MosesDetokenize(tokens, target_language_);
  if (pieces == nullptr) return text.text();

  *pieces = {};
  size_t end = 0;
  for (size_t i = 0; i < ids.size(); ++i) {
    const ByteRange range = ranges[i].empty() ? ByteRange{end, end} : text.InText(ranges[i]);
    pieces->Add(ids[i], target().piece(ids[i]), range);
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
    return std::make_unique<SubwordTokenizer>(*std::move(source), *std::move(target),
                                              std::move(model.source_language),
                                              std::move(model.target_language), *std::move(merges));
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
  return std::make_unique<SentencePieceTokenizer>(*std::move(source), *std::move(target),
                                                  *std::move(source_sentencepiece),
                                                  *std::move(target_sentencepiece));
}

bool IsLanguageCode(std::string_view piece) {
  return piece.starts_with(">>") && piece.ends_with("<<") && piece.size() > 4;
}

size_t SpelledLanguageCodeSize(std::string_view text) {
  constexpr size_t kMost = 16;  // characters between the brackets
  if (!text.starts_with(">>")) return 0;
  const auto is_part = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  };
  size_t end = 2;
  while (end < text.size() && end < 2 + kMost && is_part(text[end])) ++end;
  return end > 2 && text.substr(end).starts_with("<<") ? end + 2 : 0;
}

}  // namespace limpid::internal

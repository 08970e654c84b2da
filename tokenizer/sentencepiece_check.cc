#include "tokenizer/sentencepiece_check.h"

#include <algorithm>
#include <climits>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tokenizer/protobuf.h"

namespace limpid::internal {
namespace {

// Field numbers of sentencepiece_model.proto.
constexpr uint32_t kModelPieces = 1;
constexpr uint32_t kModelNormalizer = 3;
constexpr uint32_t kModelDenormalizer = 5;
constexpr uint32_t kPieceText = 1;
constexpr uint32_t kPieceType = 3;
constexpr uint32_t kUserDefined = 4;  // a value of kPieceType
constexpr uint32_t kNormalizerCharsMap = 2;

// SentencePiece builds a trie of all pieces and recurses once per byte.
constexpr size_t kMaxPieceBytes = 8000;
// SentencePiece's trie search has room for this many results and does not check that they fit.
constexpr size_t kMaxNestedSymbols = 64;
constexpr uint8_t kMaxNestedRules = 32;
// Bounds the growth of a text. The longest in Unicode, of U+FDFA, has 33 bytes.
constexpr size_t kMaxReplacementBytes = 255;

absl::Status Broken(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("not a valid SentencePiece model: ", what));
}

// The normalization rules of a SentencePiece model: replacement texts, each ending in NUL, and a
// trie of what they replace, in the layout of the Darts-clone library. The children of a unit are
// at `base` XOR their label; the unit's own value, if any, is at `base`.
class CharsMap {
 public:
  static absl::Status Check(std::string_view bytes) {
    uint32_t trie_bytes = 0;
    if (bytes.size() < sizeof(trie_bytes)) return Broken("its normalization rules are cut off");
    std::memcpy(&trie_bytes, bytes.data(), sizeof(trie_bytes));
    bytes.remove_prefix(sizeof(trie_bytes));
    if (trie_bytes >= bytes.size() || trie_bytes < sizeof(uint32_t)) {
      return Broken("its normalization rules are cut off");
    }
    CharsMap map;
    map.units_.resize(trie_bytes / sizeof(uint32_t));
    std::memcpy(map.units_.data(), bytes.data(), map.units_.size() * sizeof(uint32_t));
    map.replacements_ = bytes.substr(trie_bytes);
    if (!map.PointsInside()) return Broken("its normalization rules point outside themselves");
    if (!map.NestsLittle()) {
      return Broken(absl::StrCat("more than ", kMaxNestedRules,
                                 " of its normalization rules begin each other"));
    }
    return absl::OkStatus();
  }

 private:
  bool IsValue(uint32_t unit) const { return units_[unit] >> 31U != 0; }
  bool HasValue(uint32_t unit) const { return (units_[unit] >> 8U & 1U) != 0; }
  uint32_t Label(uint32_t unit) const { return units_[unit] & 0xFFU; }
  uint32_t Base(uint32_t unit) const {
    const uint32_t bits = units_[unit];
    return unit ^ ((bits >> 10U) << ((bits & 0x200U) >> 6U));
  }

  // Whether everything that a search can reach from any unit exists.
  bool PointsInside() const {
    if (IsValue(0)) return false;
    for (uint32_t unit = 0; unit < units_.size(); ++unit) {
      if (IsValue(unit)) continue;
      const uint32_t base = Base(unit);
      if ((base | 0xFFU) >= units_.size()) return false;
      if (!HasValue(unit)) continue;
      const uint32_t value = units_[base] & 0x7FFFFFFFU;
      if (value >= replacements_.size()) return false;
      if (replacements_.substr(value, kMaxReplacementBytes + 1).find('\0') ==
          std::string_view::npos) {
        return false;
      }
    }
    return true;
  }

  // Whether no path from the root passes more than kMaxNestedRules values. Paths may be cyclic and
  // may meet.
  bool NestsLittle() const {
    const auto size = static_cast<uint32_t>(units_.size());
    std::vector<uint32_t> first_child(size);  // by base; 0 is the root, never a child
    std::vector<uint32_t> next_sibling(size);
    for (uint32_t unit = 1; unit < size; ++unit) {
      const uint32_t base = unit ^ Label(unit);
      if (IsValue(unit) || base >= size) continue;
      next_sibling[unit] = first_child[base];
      first_child[base] = unit;
    }
    std::vector<uint8_t> max_values(size);  // by base: 1 + the maximum on a path to it; 0: no path
    std::vector<uint32_t> pending = {Base(0)};
    max_values[Base(0)] = 1;
    while (!pending.empty()) {
      const uint32_t base = pending.back();
      pending.pop_back();
      for (uint32_t child = first_child[base]; child != 0; child = next_sibling[child]) {
        const auto count = static_cast<uint8_t>(max_values[base] + (HasValue(child) ? 1 : 0));
        if (count > kMaxNestedRules + 1) return false;
        if (count <= max_values[Base(child)]) continue;
        max_values[Base(child)] = count;
        pending.push_back(Base(child));
      }
    }
    return true;
  }

  std::vector<uint32_t> units_;
  std::string_view replacements_;
};

// Adds the piece to `symbols` if it is a user-defined symbol.
absl::Status CheckPiece(std::string_view message, std::vector<std::string_view>& symbols) {
  std::string_view text;
  bool user_defined = false;
  while (!message.empty()) {
    const std::optional<ProtobufField> field = TakeField(message);
    if (!field.has_value()) return Broken("a piece is cut off");
    if (field->IsBytes(kPieceText)) text = field->bytes;
    if (field->number == kPieceType && static_cast<uint32_t>(field->value) == kUserDefined) {
      user_defined = true;
    }
  }
  if (text.size() > kMaxPieceBytes) {
    return Broken(absl::StrCat("a piece of ", text.size(), " bytes, more than ", kMaxPieceBytes));
  }
  if (text.find('\0') != std::string_view::npos) return Broken("a piece with a NUL byte");
  if (user_defined) symbols.push_back(text);
  return absl::OkStatus();
}

absl::Status CheckSymbols(std::vector<std::string_view> symbols) {
  std::sort(symbols.begin(), symbols.end());
  std::vector<std::string_view> nested;  // each begins with the one before it
  for (const std::string_view symbol : symbols) {
    while (!nested.empty() && symbol.substr(0, nested.back().size()) != nested.back()) {
      nested.pop_back();
    }
    nested.push_back(symbol);
    if (nested.size() > kMaxNestedSymbols) {
      return Broken(absl::StrCat("more than ", kMaxNestedSymbols,
                                 " of its user-defined symbols begin each other"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckNormalizer(std::string_view message) {
  while (!message.empty()) {
    const std::optional<ProtobufField> field = TakeField(message);
    if (!field.has_value()) return Broken("its normalizer is cut off");
    if (!field->IsBytes(kNormalizerCharsMap) || field->bytes.empty()) continue;
    if (absl::Status status = CharsMap::Check(field->bytes); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckDenormalizer(std::string_view message) {
  while (!message.empty()) {
    const std::optional<ProtobufField> field = TakeField(message);
    if (!field.has_value()) return Broken("its denormalizer is cut off");
    if (field->IsBytes(kNormalizerCharsMap) && !field->bytes.empty()) {
      return absl::InvalidArgumentError(
          "the SentencePiece model has denormalization rules, which are not supported");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSentencePiece(std::string_view model) {
  if (model.size() > INT_MAX) return Broken("2 GB or larger");
  std::vector<std::string_view> symbols;
  while (!model.empty()) {
    const std::optional<ProtobufField> field = TakeField(model);
    if (!field.has_value()) return Broken("it is cut off or not a protocol buffer");
    absl::Status status;
    if (field->IsBytes(kModelPieces)) status = CheckPiece(field->bytes, symbols);
    if (field->IsBytes(kModelNormalizer)) status = CheckNormalizer(field->bytes);
    if (field->IsBytes(kModelDenormalizer)) status = CheckDenormalizer(field->bytes);
    if (!status.ok()) return status;
  }
  return CheckSymbols(std::move(symbols));
}

}  // namespace limpid::internal

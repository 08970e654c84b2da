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

// SentencePiece builds a trie of all pieces, recursing once a byte.
constexpr size_t kMaxPieceBytes = 8000;
// SentencePiece gives a trie search room for so many results, and does not check that they fit.
constexpr size_t kMaxNestedSymbols = 64;
constexpr uint8_t kMaxNestedRules = 32;
// The longest in Unicode, from U+FDFA, is 33. Bounds how much longer a text can get.
constexpr size_t kMaxReplacementBytes = 255;

absl::Status Broken(const std::string& what) {
  return absl::InvalidArgumentError(absl::StrCat("not a sound SentencePiece model: ", what));
}

// Protocol buffers: https://protobuf.dev/programming-guides/encoding

enum WireType { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

struct Field {
  uint32_t number = 0;
  uint32_t wire_type = kVarint;
  uint64_t value = 0;      // of kVarint
  std::string_view bytes;  // of kBytes: a string, bytes or a message

  bool IsBytes(uint32_t wanted) const { return number == wanted && wire_type == kBytes; }
};

std::optional<uint64_t> TakeVarint(std::string_view& message) {
  uint64_t value = 0;
  for (size_t i = 0; i < message.size() && i < 10; ++i) {
    const auto byte = static_cast<unsigned char>(message[i]);
    value |= uint64_t{byte & 0x7FU} << (7 * i);
    if (byte < 0x80) {
      message.remove_prefix(i + 1);
      return value;
    }
  }
  return std::nullopt;
}

// Returns nothing if `message` does not start with a whole field. The value of a field of fixed
// size does not matter here and is passed over.
std::optional<Field> TakeField(std::string_view& message) {
  const std::optional<uint64_t> tag = TakeVarint(message);
  if (!tag.has_value() || *tag > UINT32_MAX || *tag >> 3U == 0) return std::nullopt;
  Field field;
  field.number = static_cast<uint32_t>(*tag >> 3U);
  field.wire_type = static_cast<uint32_t>(*tag & 7U);
  std::optional<uint64_t> size = 0;  // of what comes next
  switch (field.wire_type) {
    case kVarint:
      if (const std::optional<uint64_t> value = TakeVarint(message)) {
        field.value = *value;
        return field;
      }
      return std::nullopt;
    case kFixed64:
      size = 8;
      break;
    case kBytes:
      size = TakeVarint(message);
      break;
    case kFixed32:
      size = 4;
      break;
    default:  // groups, which no SentencePiece model has
      return std::nullopt;
  }
  if (!size.has_value() || *size > message.size()) return std::nullopt;
  field.bytes = message.substr(0, *size);
  message.remove_prefix(*size);
  return field;
}

// The normalization rules of a SentencePiece model: replacement texts, each ending in a NUL, and a
// trie of what they replace, as the Darts-clone library lays it out. The children of a unit stand
// at `base` XOR their label; what the unit itself stands for, if anything, at `base`.
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

  // Whether all that a search can reach from any unit is there.
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

  // Whether no path from the root passes more than kMaxNestedRules values. A path may go in
  // circles, and many may lead to one unit.
  bool NestsLittle() const {
    const auto size = static_cast<uint32_t>(units_.size());
    std::vector<uint32_t> first_child(size);  // by base; 0, the root, is nobody's child
    std::vector<uint32_t> next_sibling(size);
    for (uint32_t unit = 1; unit < size; ++unit) {
      const uint32_t base = unit ^ Label(unit);
      if (IsValue(unit) || base >= size) continue;
      next_sibling[unit] = first_child[base];
      first_child[base] = unit;
    }
    std::vector<uint8_t> most(size);  // by base: 1 + the most values on a path to it; 0: no path
    std::vector<uint32_t> pending = {Base(0)};
    most[Base(0)] = 1;
    while (!pending.empty()) {
      const uint32_t base = pending.back();
      pending.pop_back();
      for (uint32_t child = first_child[base]; child != 0; child = next_sibling[child]) {
        const auto count = static_cast<uint8_t>(most[base] + (HasValue(child) ? 1 : 0));
        if (count > kMaxNestedRules + 1) return false;
        if (count <= most[Base(child)]) continue;
        most[Base(child)] = count;
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
    const std::optional<Field> field = TakeField(message);
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
    const std::optional<Field> field = TakeField(message);
    if (!field.has_value()) return Broken("its normalizer is cut off");
    if (!field->IsBytes(kNormalizerCharsMap) || field->bytes.empty()) continue;
    if (absl::Status status = CharsMap::Check(field->bytes); !status.ok()) return status;
  }
  return absl::OkStatus();
}

absl::Status CheckDenormalizer(std::string_view message) {
  while (!message.empty()) {
    const std::optional<Field> field = TakeField(message);
    if (!field.has_value()) return Broken("its denormalizer is cut off");
    if (field->IsBytes(kNormalizerCharsMap) && !field->bytes.empty()) {
      return absl::InvalidArgumentError(
          "a SentencePiece model with denormalization rules; only models without are supported");
    }
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckSentencePiece(std::string_view model) {
  if (model.size() > INT_MAX) return Broken("2 GB or larger");
  std::vector<std::string_view> symbols;
  while (!model.empty()) {
    const std::optional<Field> field = TakeField(model);
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

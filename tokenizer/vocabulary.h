// The pieces of one side and their ids.

#ifndef LIMPID_TOKENIZER_VOCABULARY_H_
#define LIMPID_TOKENIZER_VOCABULARY_H_

#include <cassert>
#include <cstddef>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "absl/hash/hash.h"
#include "absl/status/statusor.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal {

// Immutable, so both sides of a joint vocabulary share one.
class Vocabulary {
 public:
  // `side` is "source" or "target", for messages; a target must have a </s>. Fails with
  // InvalidArgument on an empty or repeating vocabulary, and on ids outside it.
  static absl::StatusOr<std::shared_ptr<const Vocabulary>> Create(const std::string& side,
                                                                  std::vector<std::string> pieces,
                                                                  int bos_id, int eos_id,
                                                                  int unk_id);

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
  // The id of a piece of text, or unk_id(). Never a special token or a language code, however the
  // text is spelled: only the tokenizer may give the model instructions.
  int TextId(std::string_view piece) const {
    const int id = Id(piece);
    const bool is_control = IsSpecial(id) || id == bos_id_ || piece == "<s>" || piece == "</s>" ||
                            IsLanguageCode(piece);
    return is_control ? unk_id_ : id;
  }
  // Whether the id is a special token, which has no text.
  bool IsSpecial(int id) const { return id == eos_id_ || id == unk_id_ || id == pad_id_; }
  bool has_letters() const { return has_letters_; }
  bool HasIgnorable(char32_t c) const { return ignorables_.contains(c); }

 private:
  explicit Vocabulary(std::vector<std::string> pieces) : pieces_(std::move(pieces)) {}

  const std::vector<std::string> pieces_;
  // Views of pieces_. Not an Abseil map: after a failed allocation those cannot even be destroyed.
  std::unordered_map<std::string_view, int, absl::Hash<std::string_view>> ids_;
  int bos_id_ = -1;
  int eos_id_ = 0;
  int unk_id_ = 0;
  int pad_id_ = -1;
  bool has_letters_ = false;       // a piece of text has one
  std::set<char32_t> ignorables_;  // invisible code points that occur in pieces
};

}  // namespace limpid::internal

#endif  // LIMPID_TOKENIZER_VOCABULARY_H_

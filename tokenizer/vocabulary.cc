#include "tokenizer/vocabulary.h"

#include <tuple>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "tokenizer/code_points.h"
#include "tokenizer/text.h"

namespace limpid::internal {
namespace {

// Whether a piece is spelled like a token without text: "</s>", "[PAD]", ">>deu<<", "".
bool LooksSpecial(std::string_view piece) {
  return piece.empty() || (piece.starts_with('<') && piece.ends_with('>')) ||
         (piece.starts_with('[') && piece.ends_with(']')) || IsLanguageCode(piece);
}

}  // namespace

absl::StatusOr<std::shared_ptr<const Vocabulary>> Vocabulary::Create(
    const std::string& side, std::vector<std::string> pieces, int bos_id, int eos_id, int unk_id) {
  if (pieces.empty()) {
    return absl::InvalidArgumentError(absl::StrCat("the ", side, " vocabulary is empty"));
  }
  const auto size = static_cast<int>(pieces.size());
  const int min_eos_id = side == "source" ? -1 : 0;
  for (const auto& [name, id, min_id] :
       {std::tuple("<s>", bos_id, -1), std::tuple("</s>", eos_id, min_eos_id),
        std::tuple("<unk>", unk_id, 0)}) {
    if (id >= min_id && id < size) continue;
    return absl::InvalidArgumentError(absl::StrCat("the id of ", name, " in the ", side,
                                                   " vocabulary is ", id, "; expected ", min_id,
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
    if (!vocabulary->has_letters_ && !LooksSpecial(piece)) {
      vocabulary->has_letters_ = HasLetter(piece);
    }
  }
  return vocabulary;
}

}  // namespace limpid::internal

#include "limpid/trace.h"

#include <algorithm>
#include <array>

namespace limpid {
namespace {
constexpr std::array<std::string_view, 3> kNames = {"encoder", "decoder", "cross"};
}

std::string_view AttentionKindName(AttentionKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<AttentionKind> ParseAttentionKind(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) return static_cast<AttentionKind>(i);
  }
  return std::nullopt;
}

const AttentionTrace* SentenceTrace::Find(AttentionId id) const {
  const auto found =
      std::find_if(attentions.begin(), attentions.end(),
                   [&](const AttentionTrace& attention) { return attention.id == id; });
  return found == attentions.end() ? nullptr : &*found;
}

}  // namespace limpid

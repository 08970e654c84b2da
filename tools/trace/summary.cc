#include "tools/trace/summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "tokenizer/text.h"
#include "tools/trace/attention_map.h"

namespace limpid::internal {
namespace {

constexpr float kMinShare = 0.05F;  // smaller shares are noise

// Returns a target word's sources, largest share first: "very 55%, much 40%".
std::string FormatShares(const SentenceTrace& trace, const Alignment& alignment, int target) {
  std::vector<int> sources(alignment.sources + 1);
  std::iota(sources.begin(), sources.end(), 0);
  std::stable_sort(sources.begin(), sources.end(), [&](int a, int b) {
    return alignment.weight(target, a) > alignment.weight(target, b);
  });
  std::vector<std::string> shares;
  for (const int source : sources) {
    const float share = alignment.weight(target, source);
    if (share < kMinShare) break;
    const std::string word = source == alignment.sources
                                 ? kNullWord
                                 : IsolatedForDisplay(trace.source.words[source].text);
    shares.push_back(absl::StrCat(word, " ", std::lround(100 * share), "%"));
  }
  return absl::StrJoin(shares, ", ");
}

std::string FormatAlignment(const AlignedTrace& sentence) {
  const auto& [trace, alignment] = sentence;
  std::string text;
  for (int target = 0; target < alignment.targets; ++target) {
    absl::StrAppend(&text, "  ", IsolatedForDisplay(trace.target.words[target].text), " ← ",
                    FormatShares(trace, alignment, target), "\n");
  }
  return absl::StrCat(text, "\n", FormatPharaoh(alignment), "\n");
}

}  // namespace

std::string FormatSummary(absl::Span<const AlignedTrace> sentences, absl::Span<const HeatMap> maps,
                          const Terminal& terminal) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < sentences.size(); ++i) {
    const SentenceTrace& trace = sentences[i].trace;
    texts.push_back(absl::StrCat(
        IsolatedForDisplay(trace.source.text), "\n", IsolatedForDisplay(trace.target.text), "\n\n",
        Wrap(maps[i].title, terminal.width, 0), "\n", FormatHeatMap(maps[i], terminal), "\n",
        FormatAlignment(sentences[i])));
  }
  return absl::StrJoin(texts, "\n");
}

}  // namespace limpid::internal

// `limpid trace`: which source words each word of a translation comes from.

#include <algorithm>
#include <cmath>
#include <memory>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "engine/alignment.h"
#include "engine/translator.h"
#include "models/file.h"
#include "tools/flags.h"
#include "tools/model.h"
#include "tools/subcommand.h"
#include "tools/trace_page.h"

namespace limpid {
namespace {

constexpr char kUsage[] = "limpid trace [FLAGS] TEXT...";
constexpr char kAbout[] =
    R"(Translates TEXT and shows, for each word of the translation, which words of
TEXT the decoder attended to. With --target, looks at that translation instead.

  limpid trace "I love you very much."
  limpid trace --target="Ich mag dich." "I love you very much."

A line is a word of the translation, then the words of TEXT that it attends to
with their shares; what went to no word but to the end of the sentence is shown
as (nothing). A last line has the largest shares as links SOURCE-TARGET of words
counted from 0.
)";

// Shares below this say little and would fill the line.
constexpr float kSmallestShare = 0.05F;
constexpr int kMaxLayers = 1024;
constexpr int kMaxHeads = 1 << 20;

struct Settings {
  ModelFlags model;
  std::string target;
  std::string row = "output";
  std::string html;
  int layer = -1;
  int head = -1;
};

// "very 55%, much 40%": the sources of one target word, the largest share first.
std::string SharesInWords(const SentenceTrace& trace, const Alignment& alignment, int target) {
  std::vector<int> sources(alignment.sources + 1);
  std::iota(sources.begin(), sources.end(), 0);
  std::stable_sort(sources.begin(), sources.end(), [&](int a, int b) {
    return alignment.weight(target, a) > alignment.weight(target, b);
  });
  std::vector<std::string> shares;
  for (const int source : sources) {
    const float share = alignment.weight(target, source);
    if (share < kSmallestShare) break;
    const std::string word =
        source == alignment.sources ? "(nothing)" : trace.source.words[source].text;
    shares.push_back(absl::StrCat(word, " ", std::lround(100 * share), "%"));
  }
  return absl::StrJoin(shares, ", ");
}

std::string FormatSentence(const SentenceTrace& trace, const Alignment& alignment) {
  std::string text = absl::StrCat(trace.source.text, "\n", trace.target.text, "\n\n");
  for (int target = 0; target < alignment.targets; ++target) {
    absl::StrAppend(&text, "  ", trace.target.words[target].text, " ← ",
                    SharesInWords(trace, alignment, target), "\n");
  }
  absl::StrAppend(&text, "\n", FormatPharaoh(alignment), "\n");
  return text;
}

absl::StatusOr<Translation> TranslateOrScore(const Translator& translator, const std::string& text,
                                             const Settings& settings) {
  TranslateOptions options;
  options.trace.emplace();
  if (settings.html.empty()) options.trace->kinds = {AttentionKind::kCross};
  if (settings.target.empty()) return translator.Translate(text, options);
  absl::StatusOr<std::vector<Translation>> scored =
      translator.ScoreBatch({{text, settings.target}}, options);
  if (!scored.ok()) return scored.status();
  return std::move(scored->front());
}

absl::StatusOr<std::string> Trace(const Settings& settings, const std::string& text) {
  const absl::StatusOr<std::unique_ptr<Translator>> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  const absl::StatusOr<Translation> translation = TranslateOrScore(**translator, text, settings);
  if (!translation.ok()) return translation.status();
  AlignmentOptions options;
  options.layer = settings.layer;
  if (settings.head >= 0) options.heads = {settings.head};
  if (settings.row == "input") options.row = AlignmentRow::kInput;
  std::vector<std::string> sentences;
  std::vector<Alignment> alignments;
  for (const SentenceTrace& trace : translation->traces) {
    const absl::StatusOr<Alignment> alignment = AlignWords(trace, options);
    if (!alignment.ok()) return alignment.status();
    sentences.push_back(FormatSentence(trace, *alignment));
    alignments.push_back(*alignment);
  }
  if (!settings.html.empty()) {
    const absl::Status written =
        WriteFile(settings.html, FormatTracePage(translation->traces, alignments, options));
    if (!written.ok()) return written;
  }
  return absl::StrJoin(sentences, "\n");
}

}  // namespace

int RunTrace(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  AddModelFlags(&settings.model, &flags);
  flags.Add("target=TEXT", &settings.target, "A translation to look at, instead of the model's.");
  flags.Add("row=output|input", &settings.row,
            "The row of attention that speaks for a word: the one that predicts it (output), or "
            "the next, in which it is the decoder's input (input).");
  flags.Add("layer=N", &settings.layer, {-1, kMaxLayers},
            "The decoder layer to look at, from 0; -1: the one that was taught to align, or else "
            "the last but one.");
  flags.Add("head=N", &settings.head, {-1, kMaxHeads},
            "The head to look at, from 0; -1: those that were taught to align, or else the mean of "
            "all.");
  flags.Add("html=FILE", &settings.html,
            "Also write a page to look at in a browser: every attention, and how it is made.");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (flags.arguments().empty()) {
    return UsageError("there is no TEXT to trace; try: limpid trace \"I love you very much.\"");
  }
  if (settings.row != "output" && settings.row != "input") {
    return UsageError(absl::StrCat("--row must be output or input, not '", settings.row, "'"));
  }
  const absl::StatusOr<std::string> text = Trace(settings, absl::StrJoin(flags.arguments(), " "));
  return text.ok() ? Print(*text) : Failure(text.status());
}

}  // namespace limpid

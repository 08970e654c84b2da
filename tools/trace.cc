// `limpid trace`: what attention did while a sentence was translated.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "limpid/alignment.h"
#include "limpid/translator.h"
#include "models/io/file.h"
#include "tokenizer/text.h"
#include "tools/alignment_flags.h"
#include "tools/flags.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/search_flags.h"
#include "tools/streams.h"
#include "tools/subcommand.h"
#include "tools/terminal.h"
#include "tools/trace/attention_map.h"
#include "tools/trace/explain.h"
#include "tools/trace/heat_map.h"
#include "tools/trace/trace_check.h"
#include "tools/trace/trace_data.h"
#include "tools/trace/trace_page.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid trace [FLAGS] TEXT...";
constexpr char kAbout[] =
    R"(Translates TEXT, or standard input where TEXT is -, and shows for each word of
the translation which words of TEXT the decoder attended to. With --target, it
looks at that translation instead.

  limpid trace "I love you very much."
  limpid trace --target="Ich mag dich." "I love you very much."
  limpid trace --attention=encoder --layer=0 --head=2 "I love you very much."
  limpid trace --explain=liebe "I love you very much."
  limpid trace --svg=map.svg --npz=trace.npz "I love you very much."

First comes a map of attention: a line is a word of the translation, a column a
word of TEXT, a cell the share of the line's attention in percent. Then the same
in words; what went to no word but to the end of the sentence is (nothing). A
last line has the largest shares as links SOURCE-TARGET of words counted from 0.
)";

constexpr size_t kLinesAtOnce = 1000;

// Shares below this say little and would fill the line.
constexpr float kSmallestShare = 0.05F;

struct Settings {
  ModelFlags model;
  SearchOptions search;
  std::string target;
  AttentionChoice attention;
  std::string head;
  Level level = Level::kWord;
  std::string explain;  // a word
  Color color = Color::kAuto;
  std::string svg;  // files; "-" is standard output, except for an archive
  std::string json;
  std::string npz;
  std::string html;
  bool check = false;
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
    const std::string word = source == alignment.sources
                                 ? "(nothing)"
                                 : IsolatedForDisplay(trace.source.words[source].text);
    shares.push_back(absl::StrCat(word, " ", std::lround(100 * share), "%"));
  }
  return absl::StrJoin(shares, ", ");
}

std::string AlignmentInWords(const AlignedTrace& sentence) {
  const auto& [trace, alignment] = sentence;
  std::string text;
  for (int target = 0; target < alignment.targets; ++target) {
    absl::StrAppend(&text, "  ", IsolatedForDisplay(trace.target.words[target].text), " ← ",
                    SharesInWords(trace, alignment, target), "\n");
  }
  return absl::StrCat(text, "\n", FormatPharaoh(alignment), "\n");
}

absl::StatusOr<std::vector<HeatMap>> Maps(absl::Span<const SentenceTrace> traces,
                                          const Settings& settings) {
  std::vector<HeatMap> maps;
  for (const SentenceTrace& trace : traces) {
    absl::StatusOr<HeatMap> map = MapAttention(trace, settings.attention, settings.level);
    if (!map.ok()) return map.status();
    maps.push_back(*std::move(map));
  }
  return maps;
}

absl::StatusOr<std::vector<AlignedTrace>> AlignAll(absl::Span<const SentenceTrace> traces,
                                                   const Settings& settings) {
  std::vector<AlignedTrace> sentences;
  for (const SentenceTrace& trace : traces) {
    absl::StatusOr<Alignment> alignment =
        AlignWords(trace, AlignmentOptionsOf(trace, settings.attention));
    if (!alignment.ok()) return alignment.status();
    sentences.push_back({trace, *std::move(alignment)});
  }
  return sentences;
}

std::string FormatSentences(absl::Span<const AlignedTrace> sentences,
                            absl::Span<const HeatMap> maps, const Terminal& terminal) {
  std::vector<std::string> texts;
  for (size_t i = 0; i < sentences.size(); ++i) {
    const SentenceTrace& trace = sentences[i].trace;
    texts.push_back(absl::StrCat(
        IsolatedForDisplay(trace.source.text), "\n", IsolatedForDisplay(trace.target.text), "\n\n",
        Wrap(maps[i].title, terminal.width, 0), "\n", FormatHeatMap(maps[i], terminal), "\n",
        AlignmentInWords(sentences[i])));
  }
  return absl::StrJoin(texts, "\n");
}

// Only what is going to be shown.
TraceRequest RequestFor(const Settings& settings) {
  TraceRequest request;
  const AlignmentMeasure measure = settings.attention.measure;
  request.occlusion = measure == AlignmentMeasure::kOcclusion;
  if (settings.check || !settings.json.empty() || !settings.npz.empty() || !settings.html.empty()) {
    return request;
  }
  request.kinds = {AttentionKind::kCross, settings.attention.kind};
  if (!settings.explain.empty()) return request;
  request.scores = request.projections = request.context = request.output = false;
  request.head_output = false;
  request.norms = measure == AlignmentMeasure::kNorm;
  request.predictions = 0;
  return request;
}

absl::StatusOr<Translation> TranslateOrScore(const Settings& settings, const std::string& text) {
  const absl::StatusOr<const Translator*> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  TranslateOptions options;
  options.search = settings.search;
  options.trace = RequestFor(settings);
  if (settings.target.empty()) return (*translator)->Translate(text, options);
  absl::StatusOr<std::vector<Translation>> scored =
      (*translator)->ScoreBatch({{text, settings.target}}, options);
  if (!scored.ok()) return scored.status();
  if (!scored->front().status.ok()) return scored->front().status;
  return std::move(scored->front());
}

// Writes a file if one is wanted. What is to go to standard output goes to `printed`.
absl::Status WriteText(const std::string& path, const std::string& text, std::string* printed) {
  if (path.empty()) return absl::OkStatus();
  if (path != "-") return WriteFile(path, text);
  *printed = isatty(STDOUT_FILENO) != 0 ? Printable(text) : text;
  return absl::OkStatus();
}

std::string PageOf(const Settings& settings, absl::Span<const SentenceTrace> traces,
                   absl::Span<const AlignedTrace> sentences) {
  std::vector<Alignment> alignments;
  for (const AlignedTrace& sentence : sentences) alignments.push_back(sentence.alignment);
  const AlignmentOptions options =
      traces.empty() ? AlignmentOptions() : AlignmentOptionsOf(traces[0], settings.attention);
  return FormatTracePage(traces, alignments, options);
}

// Writes the files, and returns what is to be printed: the trace for a reader, or the report of
// --check, unless standard output was asked for as a file.
absl::StatusOr<std::string> Show(const Settings& settings, absl::Span<const SentenceTrace> traces,
                                 const std::optional<TraceReport>& report) {
  const absl::StatusOr<std::vector<HeatMap>> maps = Maps(traces, settings);
  if (!maps.ok()) return maps.status();
  const absl::StatusOr<std::vector<AlignedTrace>> sentences = AlignAll(traces, settings);
  if (!sentences.ok()) return sentences.status();

  const Terminal terminal = StandardOutput(settings.color);
  absl::StatusOr<std::string> printed =
      report.has_value() ? report->text
      : settings.explain.empty()
          ? FormatSentences(*sentences, *maps, terminal)
          : Explain(traces, settings.attention, settings.explain, terminal.width);
  if (!printed.ok()) return printed.status();
  absl::Status status;
  if (!settings.svg.empty()) status.Update(WriteText(settings.svg, FormatSvg(*maps), &*printed));
  if (!settings.json.empty()) {
    status.Update(WriteText(settings.json, TracesAsJson(*sentences), &*printed));
  }
  if (!settings.npz.empty()) status.Update(WriteNpz(settings.npz, *sentences));
  if (!settings.html.empty()) {
    status.Update(WriteText(settings.html, PageOf(settings, traces, *sentences), &*printed));
  }
  if (!status.ok()) return status;
  return printed;
}

void AddFlags(Settings* settings, Flags* flags) {
  AddModelFlags(&settings->model, flags);
  flags->Add("target=TEXT", &settings->target, "A translation to look at, not the model's.");

  flags->Group("What to look at");
  flags->Add(
      "attention=KIND", &settings->attention.kind,
      {{"cross", AttentionKind::kCross},
       {"encoder", AttentionKind::kEncoder},
       {"decoder", AttentionKind::kDecoder}},
      "cross: the decoder looks at the source; encoder: the source looks at itself; decoder: "
      "the translation so far looks at itself.");
  flags->Add("layer=N", &settings->attention.layer, {kDefaultLayer, kMaxLayers},
             "Its layer, from 0; -1: of cross-attention the one that was taught to align, or else "
             "the last but one; of the others the last.");
  flags->Add("head=N|mean", &settings->head,
             "Its head, from 0, or the mean of all. If not given: of cross-attention those that "
             "were taught to align, or else the mean.");
  AddRowAndMeasureFlags(&settings->attention.row, &settings->attention.measure, flags);
  flags->Add("level=word|piece", &settings->level,
             {{"word", Level::kWord}, {"piece", Level::kPiece}},
             "Whether the map is of words or of the pieces that the model knows.");
  flags->Add("explain=WORD", &settings->explain,
             "Instead of the map, tell with all numbers how one head attends for WORD (or for a "
             "piece of one); WORD:2 is the second of several.");

  flags->Add("check", &settings->check,
             "Instead of the map, check the trace: compute each attention again from its recorded "
             "queries, keys and values, and print the largest differences.");

  flags->Group("Where to");
  flags->Add("color=WHEN", &settings->color,
             {{"auto", Color::kAuto}, {"always", Color::kAlways}, {"never", Color::kNever}},
             "auto (on a terminal, unless $NO_COLOR is set), always or never.");
  flags->Add("html=FILE", &settings->html,
             "Also write a page to look at in a browser: every attention, and how it is made. -: "
             "standard output.");
  flags->Add("svg=FILE", &settings->svg, "Also write the map as an image. -: standard output.");
  flags->Add("json=FILE", &settings->json,
             "Also write everything that attention did, of all layers and heads, as JSON. -: "
             "standard output.");
  flags->Add("npz=FILE", &settings->npz,
             "The same as arrays for NumPy. tools/TRACE_FORMAT.md explains both.");

  flags->Group("How to search for the translation");
  AddSearchFlags(&settings->search, flags);
}

// Checks what no single flag can tell.
absl::Status Finish(Settings* settings) {
  if (settings->head == "mean") {
    settings->attention.head = kMeanOfHeads;
  } else if (!settings->head.empty() &&
             (!absl::SimpleAtoi(settings->head, &settings->attention.head) ||
              settings->attention.head < 0)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--head must be a number from 0, or mean, not '", settings->head, "'"));
  }
  if (!settings->explain.empty() && settings->head == "mean") {
    return absl::InvalidArgumentError("--explain is about one head: write --head=N, not mean");
  }
  if (!settings->target.empty() && !(settings->search == SearchOptions())) {
    return absl::InvalidArgumentError(
        "--target gives the translation, so that there is none to search for: leave it out, or the "
        "flags that say how to search");
  }
  if (settings->npz == "-") {
    return absl::InvalidArgumentError("--npz needs a file: an archive cannot be printed");
  }
  if (settings->check && !settings->explain.empty()) {
    return absl::InvalidArgumentError("--check and --explain both take the place of the map");
  }
  return CheckOutputsDiffer(settings->check              ? "--check"
                            : !settings->explain.empty() ? "--explain"
                                                         : "",
                            {{"--svg", settings->svg},
                             {"--json", settings->json},
                             {"--npz", settings->npz},
                             {"--html", settings->html}});
}

// What to trace: the words, or where they are "-" all of standard input.
absl::StatusOr<std::string> ReadText(std::vector<std::string> words) {
  if (!TakeDash(&words)) return absl::StrJoin(words, " ");
  const absl::StatusOr<File> input = OpenInput("-");
  if (!input.ok()) return input.status();
  LineReader reader(input->descriptor, input->name);
  std::vector<std::string> texts;
  while (true) {
    const absl::StatusOr<Lines> lines = reader.Read(kLinesAtOnce);
    if (!lines.ok()) return lines.status();
    if (lines->empty()) return absl::StrJoin(texts, "\n");
    texts.insert(texts.end(), lines->texts.begin(), lines->texts.end());
  }
}

}  // namespace

int RunTrace(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  AddFlags(&settings, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (const absl::Status status = CheckSearchOptions(settings.search); !status.ok()) {
    return UsageError(status.message());
  }
  if (flags.arguments().empty()) {
    return UsageError("there is no TEXT to trace; try: limpid trace \"I love you very much.\"");
  }
  if (const absl::Status status = Finish(&settings); !status.ok()) {
    return UsageError(status.message());
  }
  const absl::StatusOr<std::string> source = ReadText(flags.arguments());
  if (!source.ok()) return Failure(source.status());
  const absl::StatusOr<Translation> translation = TranslateOrScore(settings, *source);
  if (!translation.ok()) return Failure(translation.status());
  std::optional<TraceReport> report;
  if (settings.check) report = CheckTraces(translation->traces);
  const absl::StatusOr<std::string> text = Show(settings, translation->traces, report);
  if (!text.ok()) return Failure(text.status());
  const int printed = PrintAsIs(*text);
  return report.has_value() && !report->holds ? kFailure : printed;
}

}  // namespace limpid::internal

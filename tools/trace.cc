// `limpid trace`: shows the attention of a translation.

#include <unistd.h>

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
#include "tools/alignment_flags.h"
#include "tools/flags.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/search_flags.h"
#include "tools/streams.h"
#include "tools/subcommand.h"
#include "tools/terminal.h"
#include "tools/trace/attention_map.h"
#include "tools/trace/check.h"
#include "tools/trace/data.h"
#include "tools/trace/explain.h"
#include "tools/trace/heat_map.h"
#include "tools/trace/page.h"
#include "tools/trace/summary.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid trace [FLAGS] TEXT...";
constexpr char kAbout[] =
    R"(Translates TEXT and shows which of its words the decoder attended to for each
word of the translation.

  limpid trace "I love you very much."
  limpid trace --target="Ich mag dich." "I love you very much."
  limpid trace --attention=encoder --layer=0 --head=2 "I love you very much."
  limpid trace --explain=liebe "I love you very much."
  limpid trace --html=trace.html --npz=trace.npz "I love you very much."

Prints a heat map of attention, with target words as rows, source words as
columns and the shares of each row in percent; then the largest shares as text;
then the alignment as links SOURCE-TARGET of words counted from 0. (null) is the
null word: attention to the end of the sentence. If TEXT is -, reads
standard input.
)";

constexpr size_t kLinesAtOnce = 1000;

struct Settings {
  ModelFlags model;
  SearchOptions search;
  std::string target;
  AttentionChoice attention;
  std::string head;
  Level level = Level::kWord;
  std::string explain;  // a word, or empty
  Color color = Color::kAuto;
  std::string svg;  // output files; "-": standard output, except for npz
  std::string json;
  std::string npz;
  std::string html;
  bool check = false;
};

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

// Requests only what will be shown.
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

// Writes a file, if `path` is not empty. For standard output, stores the text in `printed`.
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

// Writes the files. Returns the text to print: a file for standard output, or else the report of
// --check, the explanation, or the summary.
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
          ? FormatSummary(*sentences, *maps, terminal)
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

void AddAttentionFlags(Settings* settings, Flags* flags) {
  flags->Group("What to show");
  flags->Add("target=TEXT", &settings->target, "Trace this translation instead of the model's.");
  flags->Add("attention=KIND", &settings->attention.kind,
             {{"cross", AttentionKind::kCross},
              {"encoder", AttentionKind::kEncoder},
              {"decoder", AttentionKind::kDecoder}},
             "cross: from the decoder to the source. encoder: self-attention of the source. "
             "decoder: self-attention of the translation.");
  flags->Add("layer=N", &settings->attention.layer, {kDefaultLayer, kMaxLayers},
             "The layer, from 0. -1: for cross-attention the model's alignment layer, or else the "
             "last but one; for self-attention the last.");
  flags->Add("head=N|mean", &settings->head,
             "The head, from 0, or the mean of all. Default: for cross-attention the model's "
             "alignment heads, or else the mean.");
  AddRowAndMeasureFlags(&settings->attention.row, &settings->attention.measure, flags);
  flags->Add("level=word|piece", &settings->level,
             {{"word", Level::kWord}, {"piece", Level::kPiece}},
             "Whether the map shows words or pieces.");
  flags->Add(
      "explain=WORD", &settings->explain,
      "Instead of the map, explain one head's arithmetic for WORD, or for one of its pieces. "
      "WORD:2 is its second occurrence.");
  flags->Add("check", &settings->check,
             "Instead of the map, recompute every attention from its recorded queries, keys and "
             "values, and print the largest errors.");
}

void AddOutputFlags(Settings* settings, Flags* flags) {
  flags->Group("Output");
  flags->Add("color=WHEN", &settings->color,
             {{"auto", Color::kAuto}, {"always", Color::kAlways}, {"never", Color::kNever}},
             "auto (on a terminal, unless $NO_COLOR is set), always or never.");
  flags->Add("html=FILE", &settings->html,
             "Write an interactive page of all attentions and how each is computed. -: standard "
             "output.");
  flags->Add("svg=FILE", &settings->svg, "Write the map as an image. -: standard output.");
  flags->Add("json=FILE", &settings->json,
             "Write all recorded numbers as JSON (see tools/TRACE_FORMAT.md). -: standard output.");
  flags->Add("npz=FILE", &settings->npz,
             "Write all recorded numbers as NumPy arrays (see tools/TRACE_FORMAT.md).");
}

void AddFlags(Settings* settings, Flags* flags) {
  AddAttentionFlags(settings, flags);
  AddOutputFlags(settings, flags);
  AddModelFlags(&settings->model, flags);
  flags->Group("Search");
  AddSearchFlags(&settings->search, flags);
}

// Derives the remaining settings, and checks combinations of flags.
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
    return absl::InvalidArgumentError("--explain needs a single head: give --head=N, not mean");
  }
  if (!settings->target.empty() && !(settings->search == SearchOptions())) {
    return absl::InvalidArgumentError(
        "--target cannot be combined with search flags, since it fixes the translation");
  }
  if (settings->npz == "-") {
    return absl::InvalidArgumentError("--npz must be a file, since an archive is binary");
  }
  if (settings->check && !settings->explain.empty()) {
    return absl::InvalidArgumentError("give either --check or --explain, not both");
  }
  return CheckOutputsDiffer(settings->check              ? "--check"
                            : !settings->explain.empty() ? "--explain"
                                                         : "",
                            {{"--svg", settings->svg},
                             {"--json", settings->json},
                             {"--npz", settings->npz},
                             {"--html", settings->html}});
}

// Returns the text to trace: the words, or standard input for "-".
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
    return UsageError("no TEXT to trace; try: limpid trace \"I love you very much.\"");
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

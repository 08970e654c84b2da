// `limpid translate`: text in, one translated line out for each line.

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/processors.h"
#include "limpid/alignment.h"
#include "limpid/translator.h"
#include "tools/flags.h"
#include "tools/line_alignment.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/resume.h"
#include "tools/search_flags.h"
#include "tools/signals.h"
#include "tools/streams.h"
#include "tools/subcommand.h"
#include "tools/translation_json.h"
#include "tools/translation_report.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid translate [FLAGS] [TEXT...]";
constexpr char kAbout[] =
    R"(Translates text line by line.

  limpid translate "I love you very much."
  limpid translate --input=book.txt --output=buch.txt
  tail -f messages | limpid translate --scores

Without TEXT, or if TEXT is -, reads lines from standard input. Several
arguments are joined with spaces; put -- before text that looks like a flag.
Prints each line as soon as it is translated. Empty lines stay empty, and line
ends (LF or CR LF) are kept.
)";

// A window is the lines of one call of the engine, which sorts them and divides them among its
// threads. More batches leave threads idle for less time at its end; fewer give lines sooner.
constexpr int kBatchesPerThread = 8;

enum class AlignmentForm { kNone, kPharaoh, kSoft };

struct Settings {
  ModelFlags model;
  TranslateOptions options;
  std::string input;
  std::string output;
  bool resume = false;
  std::string given;  // the given flags that can change a translation
  bool scores = false;
  bool json = false;
  AlignmentForm alignment = AlignmentForm::kNone;
  Level alignment_level = Level::kWord;
};

// The vocabulary may contain a line feed, but each translation must stay on one line.
std::string InOneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// Formats one of several translations of line `number`, without a line end.
std::string FormatNBest(const NBestTranslation& translation, int64_t number,
                        const SearchOptions& options) {
  std::string line = absl::StrCat(number, "\t");
  if (options.alternatives == 0) {
    absl::StrAppendFormat(&line, "%.4f\t", translation.ranking_score);
  } else if (translation.alternative_at < 0) {  // the translation ends before the position
    absl::StrAppend(&line, "\t\t");
  } else {
    const Token& token = translation.tokens[translation.alternative_at];
    absl::StrAppendFormat(&line, "%.4f\t%s\t", std::exp(token.log_probability),
                          AsField(token.piece));
  }
  return line + InOneLine(translation.text);
}

// Returns the output for line `number`: one line, or one for each of several translations.
std::string FormatLines(const Translation& translation, int64_t number, std::string_view ending,
                        const Settings& settings) {
  std::optional<LineAlignment> alignment;
  if (settings.alignment != AlignmentForm::kNone) {
    alignment = *AlignLine(translation, settings.alignment_level);  // recorded what it needs
  }
  std::string lines;
  if (settings.json) {
    absl::StrAppend(&lines, FormatJson(translation, alignment), std::string(ending));
  } else if (!translation.nbest.empty()) {
    for (const NBestTranslation& one : translation.nbest) {
      absl::StrAppend(&lines, FormatNBest(one, number, settings.options.search),
                      std::string(ending));
    }
  } else {
    if (settings.scores) absl::StrAppendFormat(&lines, "%.4f\t", translation.score);
    absl::StrAppend(&lines, InOneLine(translation.text));
    if (alignment.has_value()) {
      absl::StrAppend(&lines, "\t",
                      settings.alignment == AlignmentForm::kSoft
                          ? FormatSoft(alignment->alignment)
                          : FormatPharaoh(alignment->alignment));
    }
    absl::StrAppend(&lines, std::string(ending));
  }
  return lines;
}

// The approximate number of lines in a batch, assuming ten tokens per sentence.
size_t LinesOfBatch(const TranslateOptions& options) {
  return options.batch_tokens > 0 ? options.batch_tokens / 10 + 1 : options.batch_size;
}

// The approximate number of lines that all threads translate at once.
size_t LinesAtOnce(const Settings& settings) {
  int threads = settings.model.options.threads;
  if (threads == 0) threads = UsableProcessors();
  return LinesOfBatch(settings.options) * static_cast<size_t>(threads);
}

// Translates window after window until the input ends. The first windows are small, so that output
// starts early.
absl::Status TranslateLines(const Translator& translator, const Settings& settings,
                            LineReader* reader, LineWriter* writer, TranslationReport* report) {
  size_t window = LinesAtOnce(settings);
  const size_t largest_window = window * kBatchesPerThread;
  int64_t number = 0;  // printed only with several translations per line, which cannot be resumed
  while (true) {
    const absl::StatusOr<Lines> lines = reader->Read(window);
    if (!lines.ok()) return lines.status();
    if (lines->empty()) return absl::OkStatus();
    const auto start = TranslationReport::Clock::now();
    const absl::StatusOr<std::vector<Translation>> translations =
        translator.TranslateBatch(lines->texts, settings.options);
    if (!translations.ok()) return translations.status();
    const auto time = TranslationReport::Clock::now() - start;
    std::string output;
    for (size_t i = 0; i < lines->size(); ++i) {
      output += FormatLines((*translations)[i], ++number, lines->endings[i], settings);
    }
    if (absl::Status status = writer->Write(output); !status.ok()) return status;
    report->Add(*translations, time);
    window = std::min(2 * window, largest_window);
  }
}

// Skips the lines that an earlier run translated.
absl::Status SkipLines(const PartialOutput& output, const std::string& input, LineReader* reader) {
  int64_t skipped = 0;
  while (skipped < output.lines) {
    const absl::StatusOr<Lines> lines = reader->Read(static_cast<size_t>(output.lines - skipped));
    if (!lines.ok()) return lines.status();
    if (lines->empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot resume: ", output.file.name, " has ", output.lines, " lines, but ",
                       input, " has only ", skipped, "; is it the output of another input?"));
    }
    skipped += static_cast<int64_t>(lines->size());
  }
  return Truncate(output.file);
}

// Resuming counts lines, so it needs files and one output line per input line.
absl::Status CheckResumable(const Settings& settings) {
  for (const std::string* path : {&settings.input, &settings.output}) {
    if (!IsStandardStream(*path)) continue;
    return absl::InvalidArgumentError("--resume needs --input=FILE and --output=FILE");
  }
  const SearchOptions& search = settings.options.search;
  if (!settings.json && (search.nbest > 1 || search.alternatives > 0)) {
    return absl::InvalidArgumentError(
        "--resume needs one output line per input line: add --json, or leave out --nbest and "
        "--alternatives");
  }
  return absl::OkStatus();
}

struct StartedOutput {
  PartialOutput output;
  ResumeNote note;
};

// Opens the output. With --resume, skips what is done, both in it and in the input.
absl::StatusOr<StartedOutput> StartOutput(const Settings& settings, absl::Span<const File> inputs,
                                          LineReader* reader) {
  StartedOutput started;
  if (settings.resume) {
    absl::StatusOr<PartialOutput> output = ReopenOutput(settings.output, inputs);
    if (!output.ok()) return output.status();
    started.output = *std::move(output);
  } else {
    absl::StatusOr<File> output = OpenOutput(settings.output, inputs);
    if (!output.ok()) return output.status();
    started.output.file = *std::move(output);
  }
  if (CheckResumable(settings).ok()) {
    const absl::StatusOr<std::string> model = FindModel(settings.model);
    if (!model.ok()) return model.status();
    started.note = ResumeNote(settings.output, ModelFingerprint(*model), settings.given);
  }
  if (started.output.lines > 0) {
    if (absl::Status status = started.note.Check(); !status.ok()) return status;
  }
  if (settings.resume) {
    absl::Status status = SkipLines(started.output, inputs[0].name, reader);
    if (!status.ok()) return status;
  }
  started.note.Write();
  return started;
}

LineReader MakeReader(absl::Span<const File> inputs, const std::vector<std::string>& words) {
  if (!inputs.empty()) return LineReader(inputs[0].descriptor, inputs[0].name);
  std::string text = absl::StrJoin(words, " ");
  if (text.empty() || text.back() != '\n') text += '\n';
  return LineReader(std::move(text));
}

absl::Status Translate(const Settings& settings, const std::vector<std::string>& words) {
  std::vector<File> inputs;  // none for words on the command line
  if (words.empty()) {
    absl::StatusOr<File> input = OpenInput(settings.input);
    if (!input.ok()) return input.status();
    inputs.push_back(*std::move(input));
  }
  const absl::StatusOr<const Translator*> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  LineReader reader = MakeReader(inputs, words);
  // Opened last, so that a missing model does not cost the user an existing output.
  const absl::StatusOr<StartedOutput> started = StartOutput(settings, inputs, &reader);
  if (!started.ok()) return started.status();
  const File& output = started->output.file;

  const bool stderr_is_seen = isatty(STDERR_FILENO) != 0;
  if (!inputs.empty() && stderr_is_seen && isatty(inputs[0].descriptor) != 0) {
    std::cerr << "Type lines to translate; press Ctrl-D to end.\n";
  }
  LineWriter writer(output.descriptor, output.name);
  TranslationReport report(stderr_is_seen && isatty(output.descriptor) == 0, started->output.lines);
  absl::Status status = TranslateLines(**translator, settings, &reader, &writer, &report);
  report.Finish();
  status.Update(writer.Close());
  if (status.ok()) started->note.Remove();
  return status;
}

// Flags that describe a single translation conflict with those that ask for several.
absl::Status CheckSingle(const Settings& settings) {
  const SearchOptions& search = settings.options.search;
  if (search.nbest == 1 && search.alternatives == 0) return absl::OkStatus();
  for (const auto& [given, flag] :
       {std::pair{settings.alignment != AlignmentForm::kNone, "--alignment"},
        std::pair{settings.scores, "--scores"},
        std::pair{settings.options.replace_unknowns, "--replace_unknowns"}}) {
    if (!given) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " cannot be combined with several translations per line (--nbest, --alternatives)"));
  }
  return absl::OkStatus();
}

void AddOutputFlags(Settings* settings, Flags* flags) {
  flags->Group("Input and output");
  flags->Add("input=FILE", &settings->input, "Read lines from FILE instead of standard input.");
  flags->Add("output=FILE", &settings->output, "Write to FILE instead of standard output.");
  flags->Add("resume", &settings->resume,
             "Continue an interrupted run with the same model and flags: keep the complete lines "
             "of the output and translate the rest of the input. Needs --input and --output. "
             "OUTPUT.resume holds the run's settings until it is complete.");
  flags->Add("scores", &settings->scores,
             "Print each line as score, tab, translation. The score is the natural logarithm of "
             "the translation's probability.");
  flags->Add("json", &settings->json,
             "Print each line as a JSON object: text, score, and tokens, each with piece, id and "
             "log_probability; with several translations, also nbest.");
  flags->Add("alignment=pharaoh|soft", &settings->alignment,
             {{"pharaoh", AlignmentForm::kPharaoh}, {"soft", AlignmentForm::kSoft}},
             "Print a tab and the word alignment after each translation. pharaoh: links "
             "SOURCE-TARGET of words, counted from 0 through the line. soft: for each target word "
             "its attention to each source word and to the null word. With --json, both.");
  flags->Add("alignment_level=word|piece", &settings->alignment_level,
             {{"word", Level::kWord}, {"piece", Level::kPiece}}, "What to align.");
  flags->Add("replace_unknowns", &settings->options.replace_unknowns,
             "Replace <unk> in the translation by the source text that it is aligned with.");
  flags->Add("split_sentences", &settings->options.split_sentences,
             "Translate the sentences of a line separately. --nosplit_sentences: give each line to "
             "the model as one sentence.");
}

void AddFlags(Settings* settings, Flags* flags) {
  AddOutputFlags(settings, flags);
  AddModelFlags(&settings->model, flags);

  flags->Group("Speed");
  flags->Add("batch_size=N", &settings->options.batch_size, {1, kMaxBatchSize},
             "Sentences translated together; fewer if they are long. More is faster on many lines "
             "and takes more memory.");
  flags->Add("batch_tokens=N", &settings->options.batch_tokens, {0, kMaxBatchTokens},
             "Above 0: translate sentences of N source tokens together, instead of --batch_size "
             "sentences.");
  flags->Add(
      "plain", &settings->model.options.plain,
      "Leave out what only makes it faster: drafts, int8 prefilter, fused argmax, panels and huge "
      "pages. The translations are the same.");

  flags->Group("Several translations");
  AddNBestFlags(&settings->options.search, flags);
  flags->Group("Search");
  AddSearchFlags(&settings->options.search, flags);
}

// Derives the remaining settings from the flags, and checks combinations of flags.
absl::Status Finish(const Flags& flags, Settings* settings) {
  if (!flags.arguments().empty() && !settings->input.empty()) {
    return absl::InvalidArgumentError("give either TEXT or --input, not both");
  }
  // Excludes the flags that say where text comes from and goes to, or affect only speed.
  settings->given = flags.GivenExcept({"model", "threads", "verify", "plain", "input", "output",
                                       "resume", "batch_size", "batch_tokens"});
  settings->options.search.log_probabilities = settings->scores || settings->json;
  if (settings->alignment != AlignmentForm::kNone) settings->options.trace = AlignmentRequest({});
  absl::Status status = CheckSearchOptions(settings->options.search);
  if (status.ok()) status = CheckSingle(*settings);
  if (status.ok() && settings->resume) status = CheckResumable(*settings);
  return status;
}

}  // namespace

int RunTranslate(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  AddFlags(&settings, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (const absl::Status status = Finish(flags, &settings); !status.ok()) {
    return UsageError(status.message());
  }
  std::vector<std::string> words = flags.arguments();
  TakeDash(&words);
  EndBetweenLines();
  const absl::Status status = Translate(settings, words);
  return status.ok() ? kSuccess : Failure(status);
}

}  // namespace limpid::internal

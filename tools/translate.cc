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
#include "engine/speed/processors.h"
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
#include "tools/trouble.h"

namespace limpid::internal {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kUsage[] = "limpid translate [FLAGS] [TEXT...]";
constexpr char kAbout[] =
    R"(Translates TEXT, or without TEXT (or where it is -) what comes in on standard
input, and prints one line for each line of it. Several words of TEXT are one
text, with spaces between; begin with -- if the first could be taken for a flag.

  limpid translate "I love you very much."
  limpid translate --input=book.txt --output=buch.txt
  tail -f messages | limpid translate --scores

Each line is printed as soon as it is translated. Empty lines stay empty. Lines
end as they came in, with LF or CR LF; the last one always gets an end.
)";

// A window is what one call of the engine gets, to sort and to share out among its threads. With
// more batches a thread waits less for the last; with fewer, lines come out sooner.
constexpr int kBatchesPerThread = 8;

enum class AlignmentForm { kNone, kPharaoh, kSoft };

struct Settings {
  ModelFlags model;
  TranslateOptions options;
  std::string input;
  std::string output;
  bool resume = false;
  std::string given;  // the flags that can change a translation
  bool scores = false;
  bool json = false;
  AlignmentForm alignment = AlignmentForm::kNone;
  Level alignment_level = Level::kWord;
};

// A vocabulary may have a piece for a line end; a translation is one line all the same.
std::string InOneLine(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  return text;
}

// One of several translations of line `number`, as a line without its end.
std::string FormatNBest(const NBestTranslation& translation, int64_t number,
                        const SearchOptions& options) {
  std::string line = absl::StrCat(number, "\t");
  if (options.alternatives == 0) {
    absl::StrAppendFormat(&line, "%.4f\t", translation.ranking_score);
  } else if (translation.alternative_at < 0) {  // the translation ends before the place
    absl::StrAppend(&line, "\t\t");
  } else {
    const Token& token = translation.tokens[translation.alternative_at];
    absl::StrAppendFormat(&line, "%.4f\t%s\t", std::exp(token.log_probability),
                          AsField(token.piece));
  }
  return line + InOneLine(translation.text);
}

// The line that answers line `number`, or the lines where it has several translations.
std::string FormatLines(const Translation& translation, int64_t number, std::string_view ending,
                        const Settings& settings) {
  std::optional<LineAlignment> alignment;
  if (settings.alignment != AlignmentForm::kNone) {
    alignment = AlignLine(translation, settings.alignment_level);
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

// Tells on stderr what a user should know of a run: each kind of trouble when it first happens, and
// how often it did at the end; and how fast it goes, where somebody is looking.
class Report {
 public:
  // `live`: whether to show progress while lines are being translated, not only at the end.
  // `lines_before`: how many lines an earlier run has translated.
  Report(bool live, int64_t lines_before)
      : live_(live), last_shown_(Clock::now()), lines_before_(lines_before) {}

  void Add(const std::vector<Translation>& translations, Clock::duration time) {
    time_ += time;
    for (const Translation& translation : translations) {
      ++lines_;
      sentences_ += translation.sentences;
      Note(translation.replaced_invalid_utf8, &invalid_utf8_);
      Note(translation.unknown_language_code, &unknown_language_);
      Note(translation.cut_sentences > 0, &cut_);
      Note(translation.unfinished_sentences > 0, &unfinished_);
    }
    if (live_ && IsLong() && Clock::now() - last_shown_ > std::chrono::milliseconds(200)) {
      last_shown_ = Clock::now();
      std::cerr << "\r" << Speed() << "\033[K" << std::flush;
      shown_ = true;
    }
  }

  void Finish() {
    if (isatty(STDERR_FILENO) != 0 && IsLong()) {
      EraseProgress();
      std::cerr << Speed() << "\n";
    }
    for (const LineTrouble* trouble : {&invalid_utf8_, &unknown_language_, &cut_, &unfinished_}) {
      trouble->count.Finish();
    }
  }

 private:
  struct LineTrouble {
    const char* warning;
    Trouble count;
  };

  // Counts the trouble of the current line; the first is told at once.
  void Note(bool happened, LineTrouble* trouble) {
    if (!happened || !trouble->count.Count()) return;
    EraseProgress();
    Complain(absl::StrCat("warning: line ", lines_before_ + lines_, " ", trouble->warning));
  }

  void EraseProgress() {
    if (shown_) std::cerr << "\r\033[K";
    shown_ = false;
  }

  // Time spent waiting for input does not count.
  bool IsLong() const { return time_ > std::chrono::seconds(1); }

  std::string Speed() const {
    const double seconds = std::chrono::duration<double>(time_).count();
    const auto rate = static_cast<int64_t>(std::llround(static_cast<double>(sentences_) / seconds));
    return absl::StrCat(WithCommas(lines_), " lines, ", WithCommas(sentences_), " sentences, ",
                        WithCommas(rate), " sentences/s");
  }

  bool live_;
  bool shown_ = false;
  Clock::time_point last_shown_;
  Clock::duration time_{};
  int64_t lines_before_;
  int64_t lines_ = 0;
  int64_t sentences_ = 0;
  LineTrouble invalid_utf8_{"is not valid UTF-8; what is invalid is read as U+FFFD",
                            Trouble("were not valid UTF-8")};
  LineTrouble unknown_language_{
      "begins with the code of a language that the model does not have; it is translated as text",
      Trouble("began with the code of a language that the model does not have")};
  LineTrouble cut_{"has a sentence longer than the model can take; it is translated in parts",
                   Trouble("had sentences longer than the model can take")};
  LineTrouble unfinished_{
      "has a translation longer than its limit; it is cut off there"
      " (see --max_output_tokens)",
      Trouble("had translations longer than their limit")};
};

// About how many lines make a batch: a sentence has some ten tokens.
size_t LinesOfBatch(const TranslateOptions& options) {
  return options.batch_tokens > 0 ? options.batch_tokens / 10 + 1 : options.batch_size;
}

// About how many lines all threads translate at once.
size_t LinesAtOnce(const Settings& settings) {
  int threads = settings.model.options.threads;
  if (threads == 0) threads = UsableProcessors();
  return LinesOfBatch(settings.options) * static_cast<size_t>(threads);
}

// Translates window after window until the input ends. The first windows are small, so that the
// first lines come out soon.
absl::Status TranslateLines(const Translator& translator, const Settings& settings,
                            LineReader* reader, LineWriter* writer, Report* report) {
  size_t window = LinesAtOnce(settings);
  const size_t largest_window = window * kBatchesPerThread;
  int64_t number = 0;  // only printed with several translations a line, which are never resumed
  while (true) {
    const absl::StatusOr<Lines> lines = reader->Read(window);
    if (!lines.ok()) return lines.status();
    if (lines->empty()) return absl::OkStatus();
    const Clock::time_point start = Clock::now();
    const absl::StatusOr<std::vector<Translation>> translations =
        translator.TranslateBatch(lines->texts, settings.options);
    if (!translations.ok()) return translations.status();
    const Clock::duration time = Clock::now() - start;
    std::string output;
    for (size_t i = 0; i < lines->size(); ++i) {
      output += FormatLines((*translations)[i], ++number, lines->endings[i], settings);
    }
    if (absl::Status status = writer->Write(output); !status.ok()) return status;
    report->Add(*translations, time);
    window = std::min(2 * window, largest_window);
  }
}

// Reads past the lines that an earlier run has translated.
absl::Status SkipLines(const PartialOutput& output, const std::string& input, LineReader* reader) {
  int64_t skipped = 0;
  while (skipped < output.lines) {
    const absl::StatusOr<Lines> lines = reader->Read(static_cast<size_t>(output.lines - skipped));
    if (!lines.ok()) return lines.status();
    if (lines->empty()) {
      return absl::FailedPreconditionError(
          absl::StrCat("cannot resume: ", output.file.name, " has ", output.lines, " lines, but ",
                       input, " only ", skipped, "; it belongs to another input"));
    }
    skipped += static_cast<int64_t>(lines->size());
  }
  return CutOffRest(output.file);
}

// Resuming counts lines: it needs files, and one line out for each line in.
absl::Status CheckResumable(const Settings& settings) {
  for (const std::string* path : {&settings.input, &settings.output}) {
    if (!IsStandardStream(*path)) continue;
    return absl::InvalidArgumentError("--resume needs --input=FILE and --output=FILE");
  }
  const SearchOptions& search = settings.options.search;
  if (!settings.json && (search.nbest > 1 || search.alternatives > 0)) {
    return absl::InvalidArgumentError(
        "--resume needs one line of output for each line of input, so it does not go with several "
        "translations a line, unless with --json");
  }
  return absl::OkStatus();
}

struct Begun {
  PartialOutput output;
  ResumeNote note;
};

// Opens the output; with --resume, goes past what is there already, in the input as well.
absl::StatusOr<Begun> BeginOutput(const Settings& settings, absl::Span<const File> inputs,
                                  LineReader* reader) {
  Begun begun;
  if (settings.resume) {
    absl::StatusOr<PartialOutput> output = ReopenOutput(settings.output, inputs);
    if (!output.ok()) return output.status();
    begun.output = *std::move(output);
  } else {
    absl::StatusOr<File> output = OpenOutput(settings.output, inputs);
    if (!output.ok()) return output.status();
    begun.output.file = *std::move(output);
  }
  if (CheckResumable(settings).ok()) {
    const absl::StatusOr<std::string> model = FindModel(settings.model);
    if (!model.ok()) return model.status();
    begun.note = ResumeNote(settings.output, ModelFingerprint(*model), settings.given);
  }
  if (begun.output.lines > 0) {
    if (absl::Status status = begun.note.Check(); !status.ok()) return status;
  }
  if (settings.resume) {
    absl::Status status = SkipLines(begun.output, inputs[0].name, reader);
    if (!status.ok()) return status;
  }
  begun.note.Write();
  return begun;
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
  // Last, so that nothing is lost when the model is not there.
  const absl::StatusOr<Begun> begun = BeginOutput(settings, inputs, &reader);
  if (!begun.ok()) return begun.status();
  const File& output = begun->output.file;

  const bool stderr_is_seen = isatty(STDERR_FILENO) != 0;
  if (!inputs.empty() && stderr_is_seen && isatty(inputs[0].descriptor) != 0) {
    std::cerr << "Type lines to translate; Ctrl-D ends.\n";
  }
  LineWriter writer(output.descriptor, output.name);
  Report report(stderr_is_seen && isatty(output.descriptor) == 0, begun->output.lines);
  absl::Status status = TranslateLines(**translator, settings, &reader, &writer, &report);
  report.Finish();
  status.Update(writer.Close());
  if (status.ok()) begun->note.Remove();
  return status;
}

// What is told of one translation is not told of several.
absl::Status CheckSeveral(const Settings& settings) {
  const SearchOptions& search = settings.options.search;
  if (search.nbest == 1 && search.alternatives == 0) return absl::OkStatus();
  for (const auto& [given, flag] :
       {std::pair{settings.alignment != AlignmentForm::kNone, "--alignment"},
        std::pair{settings.scores, "--scores"},
        std::pair{settings.options.replace_unknowns, "--replace_unknowns"}}) {
    if (!given) continue;
    return absl::InvalidArgumentError(absl::StrCat(
        flag, " is for one translation a line: leave it out, or --nbest and ", "--alternatives"));
  }
  return absl::OkStatus();
}

}  // namespace

int RunTranslate(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  AddModelFlags(&settings.model, &flags);
  flags.Add("input=FILE", &settings.input, "Read lines from this file, not from standard input.");
  flags.Add("output=FILE", &settings.output, "Write to this file, not to standard output.");
  flags.Add(
      "resume", &settings.resume,
      "Go on where an earlier run with the same model and flags was cut short: keep the lines "
      "that the output has and translate the rest of the input. Needs --input and --output. "
      "Until its output is whole, a run keeps beside it what made it, in OUTPUT.resume.");
  flags.Add("scores", &settings.scores,
            "Print each line as score, tab, translation. The score is the natural logarithm of the "
            "translation's probability.");
  flags.Add("json", &settings.json,
            "Print each line as a JSON object: text, score, and tokens, each with its piece, id "
            "and log_probability; and nbest, where there are several translations.");
  flags.Add(
      "alignment=pharaoh|soft", &settings.alignment,
      {{"pharaoh", AlignmentForm::kPharaoh}, {"soft", AlignmentForm::kSoft}},
      "Print a tab and the alignment after each translation: links SOURCE-TARGET of words "
      "counted from 0 through the line, what is not translated included (pharaoh), or for each "
      "target word its shares of all source words and of nothing (soft). With --json, both.");
  flags.Add("alignment_level=word|piece", &settings.alignment_level,
            {{"word", Level::kWord}, {"piece", Level::kPiece}},
            "What is aligned: words, or the model's pieces.");
  flags.Add(
      "replace_unknowns", &settings.options.replace_unknowns,
      "Where the model has no piece for what it means (<unk>), copy the source text whose piece "
      "it is aligned with.");
  flags.Add("batch_size=N", &settings.options.batch_size, {1, kMaxBatchSize},
            "Sentences translated together, fewer if they are long. More is faster on many lines "
            "and takes more memory.");
  flags.Add("batch_tokens=N", &settings.options.batch_tokens, {0, kMaxBatchTokens},
            "Above 0: sentences of N source tokens together, in place of --batch_size.");
  flags.Add("split_sentences", &settings.options.split_sentences,
            "Translate the sentences of a line one by one. With --nosplit_sentences each line is "
            "one sentence to the model.");
  AddNBestFlags(&settings.options.search, &flags);
  AddSearchFlags(&settings.options.search, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  std::vector<std::string> words = flags.arguments();
  TakeDash(&words);
  if (!flags.arguments().empty() && !settings.input.empty()) {
    return UsageError("there is both TEXT and --input; give one of them");
  }
  // All but those that say where text comes from and goes to, or how fast.
  settings.given = flags.GivenExcept(
      {"model", "threads", "verify", "input", "output", "resume", "batch_size", "batch_tokens"});
  settings.options.search.log_probabilities = settings.scores || settings.json;
  if (settings.alignment != AlignmentForm::kNone) settings.options.trace = AlignmentRequest({});
  absl::Status usage = CheckSearchOptions(settings.options.search);
  if (usage.ok()) usage = CheckSeveral(settings);
  if (usage.ok() && settings.resume) usage = CheckResumable(settings);
  if (!usage.ok()) return UsageError(usage.message());

  EndBetweenLines();
  const absl::Status status = Translate(settings, words);
  return status.ok() ? kSuccess : Failure(status);
}

}  // namespace limpid::internal

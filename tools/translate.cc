// `limpid translate`: text in, one translated line out for each line.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "engine/alignment.h"
#include "engine/translator.h"
#include "nlohmann/json.hpp"
#include "tools/flags.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/signals.h"
#include "tools/subcommand.h"

namespace limpid {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kUsage[] = "limpid translate [FLAGS] [TEXT...]";
constexpr char kAbout[] =
    R"(Translates TEXT, or without TEXT what comes in on standard input, and prints one
line for each line of it. Several words of TEXT are one text, with spaces
between; begin with -- if the first could be taken for a flag.

  limpid translate "I love you very much."
  limpid translate --input=book.txt --output=buch.txt
  tail -f messages | limpid translate --scores

Each line is printed as soon as it is translated. Empty lines stay empty. Lines
end as they came in, with LF or CR LF; the last one always gets an end.
)";

constexpr int kMaxBatchSize = 10000;
constexpr int kMaxOutputTokens = 1000000;

// A window is what one call of the engine gets, to sort and to share out among its threads. With
// more batches a thread waits less for the last; with fewer, lines come out sooner.
constexpr int kBatchesPerThread = 8;

struct Settings {
  ModelFlags model;
  TranslateOptions options;
  std::string input;
  std::string output;
  bool scores = false;
  bool json = false;
  std::string alignment;  // "", "pharaoh" or "soft"
  std::string alignment_level = "word";
};

// Where text comes from or goes to.
struct File {
  int descriptor;
  std::string name;
};

// Cuts the noise of float32 off log-probabilities.
double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

// The words of a line, or its pieces but for </s>: those of its sentences, one after the other.
std::vector<std::string> UnitsOf(const Translation& translation, TracedSide SentenceTrace::*side,
                                 bool words) {
  std::vector<std::string> units;
  for (const SentenceTrace& trace : translation.traces) {
    if (words) {
      for (const TracedWord& word : (trace.*side).words) units.push_back(word.text);
      continue;
    }
    for (const TracedToken& token : (trace.*side).tokens) {
      if (token.word >= 0 || token.piece != "</s>") units.push_back(token.piece);
    }
  }
  return units;
}

// The alignment of a whole line. That of a sentence never fails: all that it takes was recorded.
Alignment AlignLine(const Translation& translation, const Settings& settings) {
  std::vector<Alignment> sentences;
  for (const SentenceTrace& trace : translation.traces) {
    absl::StatusOr<Alignment> alignment =
        settings.alignment_level == "word" ? AlignWords(trace, {}) : AlignPieces(trace, {});
    sentences.push_back(*std::move(alignment));
  }
  return Concatenate(sentences);
}

nlohmann::ordered_json AlignmentJson(const Translation& translation, const Settings& settings) {
  const Alignment alignment = AlignLine(translation, settings);
  const bool words = settings.alignment_level == "word";
  nlohmann::ordered_json shares = nlohmann::ordered_json::array();
  for (int target = 0; target < alignment.targets; ++target) {
    nlohmann::ordered_json row = nlohmann::ordered_json::array();
    for (int source = 0; source <= alignment.sources; ++source) {
      row.push_back(Rounded(alignment.weight(target, source)));
    }
    shares.push_back(std::move(row));
  }
  return {{"level", settings.alignment_level},
          {"source", UnitsOf(translation, &SentenceTrace::source, words)},
          {"target", UnitsOf(translation, &SentenceTrace::target, words)},
          {"links", Links(alignment)},
          {"shares", std::move(shares)}};
}

std::string FormatJson(const Translation& translation, const Settings& settings) {
  nlohmann::ordered_json tokens = nlohmann::ordered_json::array();
  for (const Token& token : translation.tokens) {
    tokens.push_back({{"piece", token.piece},
                      {"id", token.id},
                      {"log_probability", Rounded(token.log_probability)}});
  }
  nlohmann::ordered_json object = {{"text", translation.text},
                                   {"score", Rounded(translation.score)},
                                   {"tokens", std::move(tokens)}};
  if (!settings.alignment.empty()) object["alignment"] = AlignmentJson(translation, settings);
  return object.dump(-1, ' ', /*ensure_ascii=*/false,
                     nlohmann::ordered_json::error_handler_t::replace);
}

// The line that answers one text, without its end.
std::string FormatLine(const Translation& translation, const Settings& settings) {
  if (settings.json) return FormatJson(translation, settings);
  std::string line = translation.text;
  // A vocabulary may have a piece for a line end; one line in is one line out all the same.
  std::replace(line.begin(), line.end(), '\n', ' ');
  if (settings.scores) line.insert(0, absl::StrFormat("%.4f\t", translation.score));
  if (!settings.alignment.empty()) {
    const Alignment alignment = AlignLine(translation, settings);
    absl::StrAppend(
        &line, "\t",
        settings.alignment == "soft" ? FormatSoft(alignment) : FormatPharaoh(alignment));
  }
  return line;
}

// Each sentence ends with </s>, unless it was cut off.
int64_t SentencesOf(const Translation& translation) {
  return translation.unfinished_sentences +
         std::count_if(translation.tokens.begin(), translation.tokens.end(),
                       [](const Token& token) { return token.piece == "</s>"; });
}

// Tells on stderr what a user should know of a run: each kind of trouble when it first happens, and
// how often it did at the end; and how fast it goes, where somebody is looking.
class Report {
 public:
  // `live`: whether to show progress while lines are being translated, not only at the end.
  explicit Report(bool live) : live_(live), last_shown_(Clock::now()) {}

  void Add(const std::vector<Translation>& translations, Clock::duration time) {
    time_ += time;
    for (const Translation& translation : translations) {
      ++lines_;
      sentences_ += SentencesOf(translation);
      Note(translation.replaced_invalid_utf8, &invalid_utf8_);
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
    for (const Trouble* trouble : {&invalid_utf8_, &cut_, &unfinished_}) {
      if (trouble->lines > 1) {
        Complain(absl::StrCat(WithCommas(trouble->lines), " lines in all ", trouble->summary));
      }
    }
  }

 private:
  struct Trouble {
    const char* warning;
    const char* summary;
    int64_t lines = 0;  // that had it
  };

  // Counts the trouble of the current line; the first is told at once, as a stream may never end.
  void Note(bool happened, Trouble* trouble) {
    if (!happened || ++trouble->lines > 1) return;
    EraseProgress();
    Complain(absl::StrCat("warning: line ", lines_, " ", trouble->warning));
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
  int64_t lines_ = 0;
  int64_t sentences_ = 0;
  Trouble invalid_utf8_{"is not valid UTF-8; what is invalid is read as U+FFFD",
                        "were not valid UTF-8"};
  Trouble cut_{"has a sentence longer than the model can take; it is translated in parts",
               "had sentences longer than the model can take"};
  Trouble unfinished_{
      "has a translation longer than its limit; it is cut off there"
      " (see --max_output_tokens)",
      "had translations longer than their limit"};
};

size_t LargestWindow(const Settings& settings) {
  int threads = settings.model.options.threads;
  if (threads == 0) threads = static_cast<int>(std::thread::hardware_concurrency());
  return static_cast<size_t>(settings.options.batch_size) * kBatchesPerThread *
         static_cast<size_t>(std::max(threads, 1));
}

// Translates window after window until the input ends. The first windows are small, so that the
// first lines come out soon.
absl::Status TranslateLines(const Translator& translator, const Settings& settings,
                            LineReader* reader, LineWriter* writer, Report* report) {
  const size_t largest_window = LargestWindow(settings);
  auto window = static_cast<size_t>(settings.options.batch_size);
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
      output += FormatLine((*translations)[i], settings);
      output += lines->endings[i];
    }
    if (absl::Status status = writer->Write(output); !status.ok()) return status;
    report->Add(*translations, time);
    window = std::min(2 * window, largest_window);
  }
}

bool IsStandardStream(const std::string& path) { return path.empty() || path == "-"; }

absl::StatusOr<File> OpenInput(const std::string& path) {
  if (IsStandardStream(path)) return File{STDIN_FILENO, "standard input"};
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return SystemError("read", path);
  return File{descriptor, path};
}

// Lines are written to the file itself, not to a temporary one, so that they can be watched and
// used while the rest is being translated.
absl::StatusOr<File> OpenOutput(const std::string& path, const File& input) {
  if (IsStandardStream(path)) return File{STDOUT_FILENO, "standard output"};
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (descriptor < 0) return SystemError("write", path);
  struct stat in = {};
  struct stat out = {};
  fstat(descriptor, &out);
  if (fstat(input.descriptor, &in) == 0 && S_ISREG(out.st_mode) && in.st_dev == out.st_dev &&
      in.st_ino == out.st_ino) {
    return absl::FailedPreconditionError(
        absl::StrCat("cannot write the output over the input ", path, "; choose another --output"));
  }
  if (S_ISREG(out.st_mode) && ftruncate(descriptor, 0) != 0) return SystemError("write", path);
  return File{descriptor, path};
}

LineReader MakeReader(const File& input, const std::vector<std::string>& words) {
  if (words.empty()) return LineReader(input.descriptor, input.name);
  std::string text = absl::StrJoin(words, " ");
  if (text.empty() || text.back() != '\n') text += '\n';
  return LineReader(std::move(text));
}

absl::Status Translate(const Settings& settings, const std::vector<std::string>& words) {
  absl::StatusOr<File> input = OpenInput(settings.input);
  if (!input.ok()) return input.status();
  const absl::StatusOr<std::unique_ptr<Translator>> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  // Last, so that nothing is lost when the model is not there.
  absl::StatusOr<File> output = OpenOutput(settings.output, *input);
  if (!output.ok()) return output.status();

  const bool stderr_is_seen = isatty(STDERR_FILENO) != 0;
  if (words.empty() && stderr_is_seen && isatty(input->descriptor) != 0) {
    std::cerr << "Type lines to translate; Ctrl-D ends.\n";
  }
  LineReader reader = MakeReader(*input, words);
  LineWriter writer(output->descriptor, output->name);
  Report report(stderr_is_seen && isatty(output->descriptor) == 0);
  absl::Status status = TranslateLines(**translator, settings, &reader, &writer, &report);
  report.Finish();
  status.Update(writer.Close());
  return status;
}

}  // namespace

int RunTranslate(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  AddModelFlags(&settings.model, &flags);
  flags.Add("input=FILE", &settings.input, "Read lines from this file, not from standard input.");
  flags.Add("output=FILE", &settings.output, "Write to this file, not to standard output.");
  flags.Add("scores", &settings.scores,
            "Print each line as score, tab, translation. The score is the natural logarithm of the "
            "translation's probability.");
  flags.Add("json", &settings.json,
            "Print each line as a JSON object: text, score, and tokens, each with its piece, id "
            "and log_probability.");
  flags.Add("alignment=pharaoh|soft", &settings.alignment,
            "Print a tab and the alignment after each translation: links SOURCE-TARGET of words "
            "counted from 0 through the line (pharaoh), or for each target word its shares of all "
            "source words and of nothing (soft). With --json, both.");
  flags.Add("alignment_level=word|piece", &settings.alignment_level,
            "What is aligned: words, or the model's pieces.");
  flags.Add("replace_unknowns", &settings.options.replace_unknowns,
            "Where the model has no piece for what it means (<unk>), copy the source word that it "
            "is aligned with.");
  flags.Add("batch_size=N", &settings.options.batch_size, {1, kMaxBatchSize},
            "Sentences translated together. More is faster on many lines and takes more memory.");
  flags.Add("max_output_tokens=N", &settings.options.max_output_tokens, {0, kMaxOutputTokens},
            "The most tokens that a sentence's translation may have; 0: three times as many as "
            "the sentence has, plus 20.");
  flags.Add("split_sentences", &settings.options.split_sentences,
            "Translate the sentences of a line one by one. With --nosplit_sentences each line is "
            "one sentence to the model.");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (!flags.arguments().empty() && !settings.input.empty()) {
    return UsageError("there is both TEXT and --input; give one of them");
  }
  if (!settings.alignment.empty()) {
    if (settings.alignment != "pharaoh" && settings.alignment != "soft") {
      return UsageError(
          absl::StrCat("--alignment must be pharaoh or soft, not '", settings.alignment, "'"));
    }
    settings.options.trace = AlignmentRequest({});
  }
  if (settings.alignment_level != "word" && settings.alignment_level != "piece") {
    return UsageError(absl::StrCat("--alignment_level must be word or piece, not '",
                                   settings.alignment_level, "'"));
  }

  EndBetweenLines();
  const absl::Status status = Translate(settings, flags.arguments());
  return status.ok() ? kSuccess : Failure(status);
}

}  // namespace limpid

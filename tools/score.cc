// `limpid score`: the log-probability of given translations.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "limpid/translator.h"
#include "tools/flags.h"
#include "tools/line_warning.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/signals.h"
#include "tools/streams.h"
#include "tools/subcommand.h"
#include "tools/translation_json.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid score [FLAGS] [SOURCE TRANSLATION]";
constexpr char kAbout[] =
    R"(Prints the natural logarithm of the probability that the model gives to a
translation.

  limpid score "I love you very much." "Ich liebe dich sehr."
  paste english.txt german.txt | limpid score
  limpid score --input=pairs.tsv --tokens

Without arguments, reads pairs from standard input, one per line, with a tab
between source and translation, and prints one line for each. The score is the
sum over all tokens of the translation, including the final </s>. Each side of a
pair is one sentence to the model; it is not split. Pairs that the model cannot
take, because they are too long or the source is empty, score nan.
)";

constexpr int kBatchesPerWindow = 16;

struct Settings {
  ModelFlags model;
  TranslateOptions options;
  std::string input;
  std::string output;
  bool tokens = false;
  bool json = false;
};

absl::StatusOr<std::vector<SentencePair>> SplitPairs(const Lines& lines, int64_t first_number) {
  std::vector<SentencePair> pairs;
  for (const std::string& line : lines.texts) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos || line.find('\t', tab + 1) != std::string::npos) {
      return absl::InvalidArgumentError(
          absl::StrCat("line ", first_number + static_cast<int64_t>(pairs.size()), " has ",
                       tab == std::string::npos ? "no tab" : "more than one tab",
                       "; expected source, tab, translation"));
    }
    pairs.push_back({line.substr(0, tab), line.substr(tab + 1)});
  }
  return pairs;
}

// Formats one result, without a line end.
std::string FormatLine(const Translation& scored, const Settings& settings) {
  if (settings.json) return FormatJson(scored);
  if (!scored.status.ok()) return "nan";
  std::string line = absl::StrFormat("%.4f", scored.score);
  if (!settings.tokens) return line;
  for (const Token& token : scored.tokens) {
    absl::StrAppendFormat(&line, "\t%s %.4f", AsField(token.piece), token.log_probability);
  }
  return line;
}

struct LineWarnings {
  LineWarning unscored{"scores nan: ", "could not be scored"};
  LineWarning invalid_utf8 = InvalidUtf8Warning();

  void Add(int64_t number, const Translation& scored) {
    if (!scored.status.ok()) unscored.Add(number, scored.status.message());
    if (scored.replaced_invalid_utf8) invalid_utf8.Add(number);
  }
  void Finish() const {
    unscored.Finish();
    invalid_utf8.Finish();
  }
};

absl::Status ScoreLines(const Translator& translator, const Settings& settings, LineReader* reader,
                        LineWriter* writer) {
  const size_t window = static_cast<size_t>(settings.options.batch_size) * kBatchesPerWindow;
  int64_t number = 1;
  LineWarnings warnings;
  while (true) {
    const absl::StatusOr<Lines> lines = reader->Read(window);
    if (!lines.ok()) return lines.status();
    if (lines->empty()) break;
    const absl::StatusOr<std::vector<SentencePair>> pairs = SplitPairs(*lines, number);
    if (!pairs.ok()) return pairs.status();
    const absl::StatusOr<std::vector<Translation>> scored =
        translator.ScoreBatch(*pairs, settings.options);
    if (!scored.ok()) return scored.status();
    std::string output;
    for (size_t i = 0; i < lines->size(); ++i) {
      warnings.Add(number + static_cast<int64_t>(i), (*scored)[i]);
      absl::StrAppend(&output, FormatLine((*scored)[i], settings), std::string(lines->endings[i]));
    }
    if (absl::Status status = writer->Write(output); !status.ok()) return status;
    number += static_cast<int64_t>(lines->size());
  }
  warnings.Finish();
  return absl::OkStatus();
}

absl::Status ScoreAll(const Settings& settings, const std::vector<std::string>& pair) {
  std::vector<File> inputs;  // none for a pair on the command line
  if (pair.empty()) {
    absl::StatusOr<File> input = OpenInput(settings.input);
    if (!input.ok()) return input.status();
    inputs.push_back(*std::move(input));
  }
  const absl::StatusOr<const Translator*> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  absl::StatusOr<File> output = OpenOutput(settings.output, inputs);
  if (!output.ok()) return output.status();
  LineWriter writer(output->descriptor, output->name);
  absl::Status status;
  if (pair.empty()) {
    LineReader reader(inputs[0].descriptor, inputs[0].name);
    status = ScoreLines(**translator, settings, &reader, &writer);
  } else {
    const absl::StatusOr<std::vector<Translation>> scored =
        (*translator)->ScoreBatch({{pair[0], pair[1]}}, settings.options);
    status = scored.ok() ? scored->front().status : scored.status();
    if (status.ok()) status = writer.Write(FormatLine(scored->front(), settings) + "\n");
  }
  status.Update(writer.Close());
  return status;
}

}  // namespace

int RunScore(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  flags.Group("Input and output");
  flags.Add("input=FILE", &settings.input, "Read pairs from FILE instead of standard input.");
  flags.Add("output=FILE", &settings.output, "Write to FILE instead of standard output.");
  flags.Add(
      "tokens", &settings.tokens,
      "After the sum, print each token and its log-probability, separated by tabs. Tabs, line "
      "ends and backslashes in tokens are printed as \\t, \\n, \\r and \\\\.");
  flags.Add("json", &settings.json,
            "Print each line as a JSON object: text, score, and tokens, each with piece, id and "
            "log_probability.");
  flags.Add("batch_size=N", &settings.options.batch_size, {1, kMaxBatchSize},
            "Pairs scored together. More is faster on many lines and takes more memory.");
  AddModelFlags(&settings.model, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  const size_t texts = flags.arguments().size();
  if (texts != 0 && texts != 2) {
    return UsageError(
        absl::StrCat("expected a source and its translation, each in quotes, or no "
                     "arguments and lines with tabs on standard input; got ",
                     texts, texts == 1 ? " argument" : " arguments"));
  }
  if (texts != 0 && !settings.input.empty()) {
    return UsageError("give either a pair or --input, not both");
  }
  if (settings.tokens && settings.json) {
    return UsageError("--json includes the tokens; leave out --tokens");
  }
  EndBetweenLines();
  const absl::Status status = ScoreAll(settings, flags.arguments());
  return status.ok() ? kSuccess : Failure(status);
}

}  // namespace limpid::internal

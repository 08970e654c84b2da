// `limpid align`: aligns the words of existing translations.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "limpid/alignment.h"
#include "limpid/translator.h"
#include "tokenizer/text.h"
#include "tools/alignment_flags.h"
#include "tools/flags.h"
#include "tools/line_warning.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/streams.h"
#include "tools/subcommand.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid align [FLAGS] --source=FILE --target=FILE";
constexpr char kAbout[] =
    R"(Aligns the words of two files in which each target line translates the same
line of the source.

  limpid align --source=text.eng --target=text.deu
  limpid align --source=text.eng --target=text.deu --format=soft

Prints one line of links SOURCE-TARGET per pair. Words are separated by spaces
and counted from 0. Prints an empty line for a pair too long for the model.
)";

struct Settings {
  ModelFlags model;
  AlignmentOptions alignment;
  std::string source;
  std::string target;
  bool soft = false;
  LinkRule links = LinkRule::kIntersection;
  bool detokenize = true;
};

constexpr size_t kPairsAtOnce = 256;

struct Text {
  std::string text;               // the model's input
  std::vector<TracedWord> words;  // separated by spaces in the line
  bool replaced_invalid_utf8 = false;
};

// Punctuation without a space before it (JoinsLeft) or after it (JoinsRight). Tokenization adds
// one.
bool JoinsLeft(std::string_view word) {
  return word.size() == 1 && std::string_view(".,!?;:%)]}").find(word) != std::string_view::npos;
}
bool JoinsRight(std::string_view word) {
  return word == "(" || word == "[" || word == "{" || word == "¿" || word == "¡";
}

// Distinguishes opening from closing quotation marks: “so” in English, „so“ in German, ”so” in
// Swedish.
class Quotes {
 public:
  enum class Kind { kNone, kOpening, kClosing };

  Kind Read(std::string_view word) {
    if (word == "„") return Open(/*low=*/true);
    if (word == "“") return is_open_ && is_low_ ? Close() : Open(/*low=*/false);
    if (word == "”") return is_open_ ? Close() : Open(/*low=*/false);
    return Kind::kNone;
  }

 private:
  Kind Open(bool low) {
    is_open_ = true;
    is_low_ = low;
    return Kind::kOpening;
  }
  Kind Close() {
    is_open_ = false;
    return Kind::kClosing;
  }

  bool is_open_ = false;
  bool is_low_ = false;  // whether the open quotation began with „
};

Text ReadWords(std::string_view line, bool detokenize) {
  const MendedText mended = Mend(line);
  Text text;
  text.replaced_invalid_utf8 = mended.replaced_invalid_utf8;
  bool joined = true;
  Quotes quotes;
  for (const auto& part : absl::StrSplit(mended.text, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    const std::string word(part.data(), part.size());
    const Quotes::Kind quote = quotes.Read(word);
    const bool joins_left = JoinsLeft(word) || quote == Quotes::Kind::kClosing;
    if (!joined && !(detokenize && joins_left)) text.text += ' ';
    text.words.push_back({word, text.text.size(), text.text.size() + word.size()});
    text.text += word;
    joined = detokenize && (JoinsRight(word) || quote == Quotes::Kind::kOpening);
  }
  return text;
}

struct LineWarnings {
  LineWarning unaligned{"is not aligned: ", "could not be aligned"};
  LineWarning invalid_utf8 = InvalidUtf8Warning();

  void Finish() const {
    unaligned.Finish();
    invalid_utf8.Finish();
  }
};

// Reads `count` lines, or fewer at the end of the file.
absl::StatusOr<std::vector<std::string>> ReadLines(size_t count, LineReader* reader) {
  std::vector<std::string> texts;
  while (texts.size() < count) {
    absl::StatusOr<Lines> lines = reader->Read(count - texts.size());
    if (!lines.ok()) return lines.status();
    if (lines->empty()) break;
    std::move(lines->texts.begin(), lines->texts.end(), std::back_inserter(texts));
  }
  return texts;
}

struct TextPair {
  Text source;
  Text target;
};

// Formats the alignment of one scored pair: one line, empty if the model could not take the pair.
absl::StatusOr<std::string> FormatPair(const TextPair& pair, const Translation& scored,
                                       int64_t number, const Settings& settings,
                                       LineWarnings* warnings) {
  if (pair.source.replaced_invalid_utf8 || pair.target.replaced_invalid_utf8) {
    warnings->invalid_utf8.Add(number);
  }
  if (!scored.status.ok()) {
    warnings->unaligned.Add(number, scored.status.message());
    return "\n";
  }
  const absl::StatusOr<Alignment> alignment = AlignText(
      scored.traces, scored.copies, pair.source.words, pair.target.words, settings.alignment);
  if (!alignment.ok()) return alignment.status();
  return absl::StrCat(
      settings.soft ? FormatSoft(*alignment) : FormatPharaoh(*alignment, settings.links), "\n");
}

// Aligns consecutive lines, of which the first has the number `first_number`.
absl::StatusOr<std::string> AlignPairs(const Translator& translator, const Settings& settings,
                                       const std::vector<std::string>& sources,
                                       const std::vector<std::string>& targets,
                                       int64_t first_number, LineWarnings* warnings) {
  std::vector<TextPair> texts;
  std::vector<SentencePair> pairs;
  for (size_t i = 0; i < sources.size(); ++i) {
    texts.push_back(
        {ReadWords(sources[i], settings.detokenize), ReadWords(targets[i], settings.detokenize)});
    pairs.push_back({texts[i].source.text, texts[i].target.text});
  }
  TranslateOptions options;
  options.trace = AlignmentRequest(settings.alignment);
  const absl::StatusOr<std::vector<Translation>> scored = translator.ScoreBatch(pairs, options);
  if (!scored.ok()) return scored.status();
  std::string output;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const absl::StatusOr<std::string> line = FormatPair(
        texts[i], (*scored)[i], first_number + static_cast<int64_t>(i), settings, warnings);
    if (!line.ok()) return line.status();
    output += *line;
  }
  return output;
}

// Whether both files share one stream, whose lines could then not be read twice.
bool AreOneStream(const File& source, const File& target) {
  struct stat source_stat = {};
  struct stat target_stat = {};
  if (fstat(source.descriptor, &source_stat) != 0) return false;
  if (fstat(target.descriptor, &target_stat) != 0) return false;
  if (source.descriptor == target.descriptor) return true;
  return !S_ISREG(source_stat.st_mode) && source_stat.st_dev == target_stat.st_dev &&
         source_stat.st_ino == target_stat.st_ino;
}

absl::Status AlignLines(const Translator& translator, const Settings& settings,
                        LineReader* source_reader, LineReader* target_reader) {
  LineWriter writer(STDOUT_FILENO, "standard output");
  LineWarnings warnings;
  int64_t number = 1;
  while (true) {
    const absl::StatusOr<std::vector<std::string>> sources = ReadLines(kPairsAtOnce, source_reader);
    if (!sources.ok()) return sources.status();
    const absl::StatusOr<std::vector<std::string>> targets = ReadLines(kPairsAtOnce, target_reader);
    if (!targets.ok()) return targets.status();
    if (sources->size() != targets->size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(settings.source, " and ", settings.target,
                       " must have the same number of lines, since each target line translates the "
                       "same line of the source"));
    }
    if (sources->empty()) break;
    const absl::StatusOr<std::string> lines =
        AlignPairs(translator, settings, *sources, *targets, number, &warnings);
    if (!lines.ok()) return lines.status();
    if (absl::Status status = writer.Write(*lines); !status.ok()) return status;
    number += static_cast<int64_t>(sources->size());
  }
  warnings.Finish();
  return absl::OkStatus();
}

absl::Status Align(const Settings& settings) {
  const absl::StatusOr<File> source = OpenInput(settings.source);
  if (!source.ok()) return source.status();
  const absl::StatusOr<File> target = OpenInput(settings.target);
  if (!target.ok()) return target.status();
  if (AreOneStream(*source, *target)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--source and --target both read ", source->name, "; one must be a file"));
  }
  const absl::StatusOr<const Translator*> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  LineReader source_reader(source->descriptor, source->name);
  LineReader target_reader(target->descriptor, target->name);
  const absl::StatusOr<File> output = OpenOutput("", {*source, *target});
  if (!output.ok()) return output.status();
  return AlignLines(**translator, settings, &source_reader, &target_reader);
}

void AddFlags(Settings* settings, int* head, Flags* flags) {
  flags->Group("Input and output");
  flags->Add("source=FILE", &settings->source, "The source lines. -: standard input.");
  flags->Add("target=FILE", &settings->target, "Their translations. -: standard input.");
  flags->Add("detokenize", &settings->detokenize,
             "Undo tokenization: remove spaces before punctuation.");
  flags->Add("format=pharaoh|soft", &settings->soft, {{"pharaoh", false}, {"soft", true}},
             "pharaoh: print links. soft: for each target word, print its attention to each source "
             "word and to the null word.");
  flags->Add("links=intersection|each", &settings->links,
             {{"intersection", LinkRule::kIntersection}, {"each", LinkRule::kEach}},
             "each: link every target word to the source word with the largest share. "
             "intersection: keep only the links that are also the largest, or nearly, for their "
             "source word.");

  flags->Group("Attention");
  flags->Add("layer=N", &settings->alignment.layer, {-1, kMaxLayers},
             "The decoder layer, from 0. -1: the model's alignment layer, or else the last but "
             "one.");
  flags->Add("head=N", head, {-1, kMaxHeads},
             "The head, from 0. -1: the model's alignment heads, or else the mean of all.");
  AddRowAndMeasureFlags(&settings->alignment.row, &settings->alignment.measure, flags);

  AddModelFlags(&settings->model, flags);
}

}  // namespace

int RunAlign(Arguments arguments) {
  Settings settings;
  int head = -1;
  Flags flags(kUsage, kAbout);
  AddFlags(&settings, &head, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (settings.source.empty() || settings.target.empty()) {
    return UsageError("both --source=FILE and --target=FILE are required");
  }
  if (head >= 0) settings.alignment.heads = {head};
  const absl::Status status = Align(settings);
  return status.ok() ? kSuccess : Failure(status);
}

}  // namespace limpid::internal

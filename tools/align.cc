// `limpid align`: aligns the words of translations that are given.

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
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/streams.h"
#include "tools/subcommand.h"
#include "tools/trouble.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid align [FLAGS] --source=FILE --target=FILE";
constexpr char kAbout[] =
    R"(Aligns the words of two files, line by line: each line of the target is taken to
be the translation of the same line of the source. Prints a line of links
SOURCE-TARGET a pair; words are what spaces separate, counted from 0. A pair
that is too long for the model gets an empty line.

  limpid align --source=text.eng --target=text.deu
  limpid align --source=text.eng --target=text.deu --format=soft
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
  std::string text;               // as the model is to read it
  std::vector<TracedWord> words;  // those that spaces separate in the line
  bool replaced_invalid_utf8 = false;
};

// Punctuation that no space stands before, and that no space stands behind. Lines that were
// tokenized have both.
bool JoinsLeft(std::string_view word) {
  return word.size() == 1 && std::string_view(".,!?;:%)]}").find(word) != std::string_view::npos;
}
bool JoinsRight(std::string_view word) {
  return word == "(" || word == "[" || word == "{" || word == "¿" || word == "¡";
}

// Tells opening from closing quotation marks: “so” in English, „so“ in German, ”so” in Swedish.
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
  bool is_low_ = false;  // the one that is open began with „
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

// What goes wrong with single lines.
struct Troubles {
  Trouble unfit{"could not be aligned"};
  Trouble invalid_utf8{"were not valid UTF-8"};

  void Finish() const {
    unfit.Finish();
    invalid_utf8.Finish();
  }
};

// Up to `count` lines; fewer at the end only.
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

// The first pair has the number `first_number`. One that the model cannot take has an empty line.
absl::StatusOr<std::string> AlignPairs(const Translator& translator, const Settings& settings,
                                       const std::vector<std::string>& sources,
                                       const std::vector<std::string>& targets,
                                       int64_t first_number, Troubles* troubles) {
  std::vector<Text> source_texts;
  std::vector<Text> target_texts;
  std::vector<SentencePair> pairs;
  for (size_t i = 0; i < sources.size(); ++i) {
    source_texts.push_back(ReadWords(sources[i], settings.detokenize));
    target_texts.push_back(ReadWords(targets[i], settings.detokenize));
    pairs.push_back({source_texts[i].text, target_texts[i].text});
  }
  TranslateOptions translate;
  translate.trace = AlignmentRequest(settings.alignment);
  const absl::StatusOr<std::vector<Translation>> scored = translator.ScoreBatch(pairs, translate);
  if (!scored.ok()) return scored.status();
  std::string output;
  for (size_t i = 0; i < pairs.size(); ++i) {
    const int64_t number = first_number + static_cast<int64_t>(i);
    if (source_texts[i].replaced_invalid_utf8 || target_texts[i].replaced_invalid_utf8) {
      troubles->invalid_utf8.Note(number, "is not valid UTF-8; what is invalid is read as U+FFFD");
    }
    const Translation& pair = (*scored)[i];
    if (!pair.status.ok()) {
      troubles->unfit.Note(number, absl::StrCat("is not aligned: ", pair.status.message()));
      output += '\n';
      continue;
    }
    const absl::StatusOr<Alignment> alignment = AlignText(
        pair.traces, pair.copies, source_texts[i].words, target_texts[i].words, settings.alignment);
    if (!alignment.ok()) return alignment.status();
    absl::StrAppend(
        &output, settings.soft ? FormatSoft(*alignment) : FormatPharaoh(*alignment, settings.links),
        "\n");
  }
  return output;
}

// One stream cannot be read as two.
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
  Troubles troubles;
  int64_t number = 1;
  while (true) {
    const absl::StatusOr<std::vector<std::string>> sources = ReadLines(kPairsAtOnce, source_reader);
    if (!sources.ok()) return sources.status();
    const absl::StatusOr<std::vector<std::string>> targets = ReadLines(kPairsAtOnce, target_reader);
    if (!targets.ok()) return targets.status();
    if (sources->size() != targets->size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(settings.source, " and ", settings.target,
                       " must have the same number of lines: line by line, one is the translation "
                       "of the other"));
    }
    if (sources->empty()) break;
    const absl::StatusOr<std::string> lines =
        AlignPairs(translator, settings, *sources, *targets, number, &troubles);
    if (!lines.ok()) return lines.status();
    if (absl::Status status = writer.Write(*lines); !status.ok()) return status;
    number += static_cast<int64_t>(sources->size());
  }
  troubles.Finish();
  return absl::OkStatus();
}

absl::Status Align(const Settings& settings) {
  const absl::StatusOr<File> source = OpenInput(settings.source);
  if (!source.ok()) return source.status();
  const absl::StatusOr<File> target = OpenInput(settings.target);
  if (!target.ok()) return target.status();
  if (AreOneStream(*source, *target)) {
    return absl::InvalidArgumentError(
        absl::StrCat("--source and --target both read ", source->name, ": one must be a file"));
  }
  const absl::StatusOr<const Translator*> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  LineReader source_reader(source->descriptor, source->name);
  LineReader target_reader(target->descriptor, target->name);
  const absl::StatusOr<File> output = OpenOutput("", {*source, *target});
  if (!output.ok()) return output.status();
  return AlignLines(**translator, settings, &source_reader, &target_reader);
}

}  // namespace

int RunAlign(Arguments arguments) {
  Settings settings;
  int head = -1;
  Flags flags(kUsage, kAbout);
  AddModelFlags(&settings.model, &flags);
  flags.Add("source=FILE", &settings.source, "The lines that were translated.");
  flags.Add("target=FILE", &settings.target, "Their translations.");
  flags.Add("format=pharaoh|soft", &settings.soft, {{"pharaoh", false}, {"soft", true}},
            "What to print: links, or for each target word its shares of all source words and of "
            "nothing.");
  flags.Add(
      "links=intersection|each", &settings.links,
      {{"intersection", LinkRule::kIntersection}, {"each", LinkRule::kEach}},
      "Which shares become links: those that are the largest of both words (intersection), or the "
      "largest of each target word (each).");
  flags.Add("detokenize", &settings.detokenize,
            "Close the space before a full stop and the like, which files of words have and the "
            "text that models are made for has not.");
  AddRowAndMeasureFlags(&settings.alignment.row, &settings.alignment.measure, &flags);
  flags.Add("layer=N", &settings.alignment.layer, {-1, kMaxLayers},
            "The decoder layer to look at, from 0; -1: the model's best, or else the last but "
            "one.");
  flags.Add("head=N", &head, {-1, kMaxHeads},
            "The head to look at, from 0; -1: the model's best, or else the mean of all.");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (settings.source.empty() || settings.target.empty()) {
    return UsageError("both --source=FILE and --target=FILE are needed");
  }
  if (head >= 0) settings.alignment.heads = {head};
  const absl::Status status = Align(settings);
  return status.ok() ? kSuccess : Failure(status);
}

}  // namespace limpid::internal

// `limpid align`: aligns the words of translations that are given.

#include <unistd.h>

#include <algorithm>
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
#include "engine/alignment.h"
#include "engine/translator.h"
#include "tools/alignment_flags.h"
#include "tools/flags.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/streams.h"
#include "tools/subcommand.h"

namespace limpid {
namespace {

constexpr char kUsage[] = "limpid align [FLAGS] --source=FILE --target=FILE";
constexpr char kAbout[] =
    R"(Aligns the words of two files, line by line: each line of the target is taken to
be the translation of the same line of the source. Prints a line of links
SOURCE-TARGET a pair; words are what spaces separate, counted from 0.

  limpid align --source=text.eng --target=text.deu
  limpid align --source=text.eng --target=text.deu --format=soft
)";

struct Settings {
  ModelFlags model;
  AlignmentOptions alignment;
  std::string source;
  std::string target;
  bool soft = false;
  LinkRule links = LinkRule::kMutual;
  bool detokenize = true;
};

constexpr size_t kPairsAtOnce = 256;

struct Text {
  std::string text;               // as the model is to read it
  std::vector<TracedWord> words;  // those that spaces separate in the line
};

// Punctuation that no space stands before, and that no space stands behind. Lines that were
// tokenized have both.
bool JoinsLeft(std::string_view word) {
  return word.size() == 1 && std::string_view(".,!?;:%)]}").find(word) != std::string_view::npos;
}
bool JoinsRight(std::string_view word) {
  return word == "(" || word == "[" || word == "{" || word == "„" || word == "“" || word == "¿";
}

Text ReadWords(const std::string& line, bool detokenize) {
  Text text;
  bool joined = true;
  for (const auto& part : absl::StrSplit(line, absl::ByAnyChar(" \t"), absl::SkipEmpty())) {
    const std::string word(part.data(), part.size());
    if (!joined && !(detokenize && JoinsLeft(word))) text.text += ' ';
    text.words.push_back({word, text.text.size(), text.text.size() + word.size()});
    text.text += word;
    joined = detokenize && JoinsRight(word);
  }
  return text;
}

// Makes `words`, which are in order, those of the side, and returns which of them each word that it
// had by Unicode's rules became part of: the one that it begins in.
std::vector<int> SetWords(std::vector<TracedWord> words, TracedSide* side) {
  std::vector<int> new_index;
  size_t word = 0;
  for (const TracedWord& old : side->words) {
    while (word + 1 < words.size() && words[word].end <= old.begin) ++word;
    new_index.push_back(static_cast<int>(word));
  }
  for (TracedToken& token : side->tokens) {
    if (token.word >= 0) token.word = new_index[token.word];
  }
  side->words = std::move(words);
  return new_index;
}

void SetSourceWords(std::vector<TracedWord> words, SentenceTrace* trace) {
  const std::vector<int> new_index = SetWords(std::move(words), &trace->source);
  if (trace->leave_one_out.empty()) return;
  const size_t tokens = trace->target.tokens.size();
  std::vector<float> sums(trace->source.words.size() * tokens);
  for (size_t i = 0; i < trace->leave_one_out.size(); ++i) {
    sums[new_index[i / tokens] * tokens + i % tokens] += trace->leave_one_out[i];
  }
  trace->leave_one_out = std::move(sums);
}

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

absl::StatusOr<std::string> AlignPairs(const Translator& translator, const Settings& settings,
                                       const std::vector<std::string>& sources,
                                       const std::vector<std::string>& targets) {
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
  absl::StatusOr<std::vector<Translation>> translations = translator.ScoreBatch(pairs, translate);
  if (!translations.ok()) return translations.status();
  std::string output;
  for (size_t i = 0; i < pairs.size(); ++i) {
    SentenceTrace& trace = (*translations)[i].traces[0];
    SetWords(std::move(target_texts[i].words), &trace.target);
    SetSourceWords(std::move(source_texts[i].words), &trace);
    const absl::StatusOr<Alignment> alignment = AlignWords(trace, settings.alignment);
    if (!alignment.ok()) return alignment.status();
    absl::StrAppend(
        &output, settings.soft ? FormatSoft(*alignment) : FormatPharaoh(*alignment, settings.links),
        "\n");
  }
  return output;
}

absl::Status Align(const Settings& settings) {
  const absl::StatusOr<File> source = OpenInput(settings.source);
  if (!source.ok()) return source.status();
  const absl::StatusOr<File> target = OpenInput(settings.target);
  if (!target.ok()) return target.status();
  const absl::StatusOr<const Translator*> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  LineReader source_reader(source->descriptor, source->name);
  LineReader target_reader(target->descriptor, target->name);
  LineWriter writer(STDOUT_FILENO, "standard output");
  while (true) {
    const absl::StatusOr<std::vector<std::string>> sources =
        ReadLines(kPairsAtOnce, &source_reader);
    if (!sources.ok()) return sources.status();
    const absl::StatusOr<std::vector<std::string>> targets =
        ReadLines(kPairsAtOnce, &target_reader);
    if (!targets.ok()) return targets.status();
    if (sources->size() != targets->size()) {
      return absl::InvalidArgumentError(
          absl::StrCat(settings.source, " and ", settings.target,
                       " must have the same number of lines: line by line, one is the translation "
                       "of the other"));
    }
    if (sources->empty()) return absl::OkStatus();
    const absl::StatusOr<std::string> lines =
        AlignPairs(**translator, settings, *sources, *targets);
    if (!lines.ok()) return lines.status();
    if (absl::Status status = writer.Write(*lines); !status.ok()) return status;
  }
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
  flags.Add("links=mutual|each", &settings.links,
            {{"mutual", LinkRule::kMutual}, {"each", LinkRule::kEach}},
            "Which shares become links: those that are the largest of both words (mutual), or the "
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

}  // namespace limpid

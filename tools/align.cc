// `limpid align`: aligns the words of translations that are given.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
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
  AlignmentFlags alignment;
  std::string source;
  std::string target;
  std::string format = "pharaoh";
  std::string links = "mutual";
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

// Lines of one of the two files.
class Input {
 public:
  static absl::StatusOr<std::unique_ptr<Input>> Open(const std::string& path) {
    const int file = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) return SystemError("read", path);
    return std::make_unique<Input>(file, path);
  }
  Input(int file, const std::string& path) : file_(file), reader_(file, path) {}
  ~Input() { close(file_); }
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;

  // Up to `count` lines; fewer at the end only.
  absl::StatusOr<std::vector<std::string>> Read(size_t count) {
    std::vector<std::string> texts;
    while (texts.size() < count) {
      absl::StatusOr<Lines> lines = reader_.Read(count - texts.size());
      if (!lines.ok()) return lines.status();
      if (lines->empty()) break;
      std::move(lines->texts.begin(), lines->texts.end(), std::back_inserter(texts));
    }
    return texts;
  }

 private:
  int file_;
  LineReader reader_;
};

absl::StatusOr<std::string> AlignPairs(const Translator& translator, const Settings& settings,
                                       const std::vector<std::string>& sources,
                                       const std::vector<std::string>& targets) {
  const absl::StatusOr<AlignmentOptions> options = ReadAlignmentFlags(settings.alignment);
  if (!options.ok()) return options.status();
  const absl::StatusOr<LinkRule> rule = ReadLinkRule(settings.links);
  if (!rule.ok()) return rule.status();
  std::vector<SentencePair> pairs;
  for (size_t i = 0; i < sources.size(); ++i) {
    pairs.push_back({ReadWords(sources[i], settings.detokenize).text,
                     ReadWords(targets[i], settings.detokenize).text});
  }
  TranslateOptions translate;
  translate.trace = AlignmentRequest(*options);
  absl::StatusOr<std::vector<Translation>> translations = translator.ScoreBatch(pairs, translate);
  if (!translations.ok()) return translations.status();
  std::string output;
  for (size_t i = 0; i < pairs.size(); ++i) {
    SentenceTrace& trace = (*translations)[i].traces[0];
    SetWords(ReadWords(targets[i], settings.detokenize).words, &trace.target);
    SetSourceWords(ReadWords(sources[i], settings.detokenize).words, &trace);
    const absl::StatusOr<Alignment> alignment = AlignWords(trace, *options);
    if (!alignment.ok()) return alignment.status();
    absl::StrAppend(
        &output,
        settings.format == "soft" ? FormatSoft(*alignment) : FormatPharaoh(*alignment, *rule),
        "\n");
  }
  return output;
}

absl::Status Align(const Settings& settings) {
  const absl::StatusOr<std::unique_ptr<Input>> source = Input::Open(settings.source);
  if (!source.ok()) return source.status();
  const absl::StatusOr<std::unique_ptr<Input>> target = Input::Open(settings.target);
  if (!target.ok()) return target.status();
  const absl::StatusOr<std::unique_ptr<Translator>> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  LineWriter writer(STDOUT_FILENO, "standard output");
  while (true) {
    const absl::StatusOr<std::vector<std::string>> sources = (*source)->Read(kPairsAtOnce);
    if (!sources.ok()) return sources.status();
    const absl::StatusOr<std::vector<std::string>> targets = (*target)->Read(kPairsAtOnce);
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
  Flags flags(kUsage, kAbout);
  AddModelFlags(&settings.model, &flags);
  flags.Add("source=FILE", &settings.source, "The lines that were translated.");
  flags.Add("target=FILE", &settings.target, "Their translations.");
  flags.Add("format=pharaoh|soft", &settings.format,
            "What to print: links, or for each target word its shares of all source words and of "
            "nothing.");
  flags.Add("links=mutual|each", &settings.links,
            "Which shares become links: those that are the largest of both words (mutual), or the "
            "largest of each target word (each).");
  flags.Add("detokenize", &settings.detokenize,
            "Close the space before a full stop and the like, which files of words have and the "
            "text that models are made for has not.");
  AddAlignmentFlags(&settings.alignment, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (settings.source.empty() || settings.target.empty()) {
    return UsageError("both --source=FILE and --target=FILE are needed");
  }
  if (settings.format != "pharaoh" && settings.format != "soft") {
    return UsageError(
        absl::StrCat("--format must be pharaoh or soft, not '", settings.format, "'"));
  }
  for (const absl::Status& status :
       {ReadAlignmentFlags(settings.alignment).status(), ReadLinkRule(settings.links).status()}) {
    if (!status.ok()) return UsageError(status.message());
  }
  const absl::Status status = Align(settings);
  return status.ok() ? kSuccess : Failure(status);
}

}  // namespace limpid

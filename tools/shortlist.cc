// `limpid shortlist`: learns a lexical shortlist, for `limpid translate --shortlist`.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/text/checkpoint_tokenizer.h"
#include "limpid/translator.h"
#include "models/formats/formats.h"
#include "models/io/file.h"
#include "models/learn/lexical_model.h"
#include "models/model/checkpoint.h"
#include "models/native/checksum.h"
#include "models/native/native.h"
#include "tokenizer/text.h"
#include "tokenizer/tokenizer.h"
#include "tools/flags.h"
#include "tools/lines.h"
#include "tools/model.h"
#include "tools/streams.h"
#include "tools/subcommand.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid shortlist [FLAGS]";
constexpr char kAbout[] =
    R"(Learns which target pieces translate which source pieces, and stores that in the
model's folder as a shortlist.

  limpid shortlist --model=en-de --input=english.txt
  paste english.txt german.txt | limpid shortlist --model=en-de

Reads one sentence per line: the source alone, which the model then translates,
or the source, a tab and a translation. More lines are better; use some hundred
thousand.

With a shortlist, single sentences are translated faster, without changing the
result. `limpid translate --shortlist` restricts the output to the shortlist,
which is also faster for many sentences, but may change a translation.
)";

constexpr size_t kLinesPerWindow = 4096;

struct Settings {
  ModelFlags model;
  std::string input;
  std::string output;
  LexicalOptions lexical;
};

// Appends each line's source and translation. The model translates lines without one.
absl::Status AppendPairs(const Translator& translator, const Lines& lines,
                         std::vector<SentencePair>* pairs) {
  std::vector<std::string> sources;
  for (const std::string& line : lines.texts) {
    const size_t tab = line.find('\t');
    if (tab == std::string::npos) {
      sources.push_back(line);
    } else {
      pairs->push_back({line.substr(0, tab), line.substr(tab + 1)});
    }
  }
  TranslateOptions options;
  options.split_sentences = false;
  options.search.log_probabilities = false;
  const absl::StatusOr<std::vector<Translation>> translations =
      translator.TranslateBatch(sources, options);
  if (!translations.ok()) return translations.status();
  for (size_t i = 0; i < sources.size(); ++i) {
    pairs->push_back({std::move(sources[i]), (*translations)[i].text});
  }
  return absl::OkStatus();
}

struct Corpus {
  std::vector<IdPair> pairs;
  int64_t too_long = 0;  // lines left out
};

// Reads the input to its end.
absl::StatusOr<Corpus> ReadCorpus(const Translator& translator, const Tokenizer& tokenizer,
                                  const LexicalOptions& options, const File& input) {
  Corpus corpus;
  LineReader reader(input.descriptor, input.name);
  while (true) {
    const absl::StatusOr<Lines> lines = reader.Read(kLinesPerWindow);
    if (!lines.ok()) return lines.status();
    if (lines->empty()) return corpus;
    std::vector<SentencePair> pairs;
    if (absl::Status status = AppendPairs(translator, *lines, &pairs); !status.ok()) return status;
    for (const SentencePair& pair : pairs) {
      IdPair ids = {tokenizer.EncodeSource(ReplaceInvalidUtf8(pair.source)).ids,
                    tokenizer.EncodeTarget(ReplaceInvalidUtf8(pair.target)).ids};
      if (std::max(ids.source.size(), ids.target.size()) > options.max_tokens) {
        ++corpus.too_long;
      } else {
        corpus.pairs.push_back(std::move(ids));
      }
    }
  }
}

constexpr char kShortlistFile[] = "shortlist.bin";

// Only native model folders can hold a shortlist.
absl::Status CheckDestination(const Settings& settings, const std::string& folder) {
  if (!settings.output.empty() || IsNative(folder)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      folder, " is not a Limpid folder, so a shortlist in it would not be read; first convert it (",
      "limpid convert --from=", folder, " --to=DIR), or give a file with --output"));
}

// Writes the shortlist, and its checksum if it is in the model's folder.
absl::Status WriteShortlist(const std::string& shortlist, const std::string& path,
                            const std::string& folder) {
  if (absl::Status status = WriteFile(path, shortlist); !status.ok()) return status;
  std::error_code error;
  const std::filesystem::path own = std::filesystem::path(folder) / kShortlistFile;
  return std::filesystem::equivalent(path, own, error) && !error
             ? WriteFileChecksum(folder, kShortlistFile)
             : absl::OkStatus();
}

absl::StatusOr<std::string> Learn(const Settings& settings) {
  absl::StatusOr<std::string> folder = FindModel(settings.model);
  if (!folder.ok()) return folder.status();
  if (absl::Status status = CheckDestination(settings, *folder); !status.ok()) return status;
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(*folder);
  if (!checkpoint.ok()) return checkpoint.status();
  const absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer =
      MakeTokenizer(TakeTokenizerFiles(*checkpoint));
  if (!tokenizer.ok()) return tokenizer.status();
  const absl::StatusOr<const Translator*> translator = LoadModel(settings.model);
  if (!translator.ok()) return translator.status();
  const absl::StatusOr<File> input = OpenInput(settings.input);
  if (!input.ok()) return input.status();
  const std::string path =
      settings.output.empty() ? absl::StrCat(*folder, "/", kShortlistFile) : settings.output;
  if (absl::Status status = CheckOutput(path, {*input}); !status.ok()) return status;
  const absl::StatusOr<Corpus> corpus =
      ReadCorpus(**translator, **tokenizer, settings.lexical, *input);
  if (!corpus.ok()) return corpus.status();
  if (corpus->too_long > 0) {
    Complain(absl::StrCat("skipped ", WithCommas(corpus->too_long), " lines with more than ",
                          settings.lexical.max_tokens, " tokens on one side"));
  }
  if (corpus->pairs.empty()) {
    return absl::InvalidArgumentError(absl::StrCat(input->name, " has no lines to learn from"));
  }
  const ModelConfig& config = checkpoint->config;
  const std::string shortlist =
      LearnShortlist(corpus->pairs, config.source_vocab_size, config.target_vocab_size,
                     config.source_eos_id, settings.lexical);
  if (absl::Status status = WriteShortlist(shortlist, path, *folder); !status.ok()) return status;
  return absl::StrCat("learned from ", WithCommas(static_cast<int64_t>(corpus->pairs.size())),
                      " lines; wrote ", path, ": ",
                      WithCommas(static_cast<int64_t>(shortlist.size())), " bytes\n");
}

}  // namespace

int RunShortlist(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  flags.Group("Input and output");
  flags.Add("input=FILE", &settings.input, "Read lines from FILE instead of standard input.");
  flags.Add("output=FILE", &settings.output,
            "Write to FILE. Default: shortlist.bin in the model's folder.");
  flags.Group("Learning");
  flags.Add("best=N", &settings.lexical.best, {1, 100000},
            "Target pieces to keep for each source piece. More are slower and miss fewer words.");
  flags.Add("frequent=N", &settings.lexical.frequent, {0, 100000},
            "Allow the N most frequent target pieces in every sentence.");
  AddModelFlags(&settings.model, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (!flags.arguments().empty()) {
    return UsageError("shortlist takes no arguments; give lines on standard input or with --input");
  }
  if (settings.output == "-") {
    return UsageError("--output must be a file, since a shortlist is binary");
  }
  const absl::StatusOr<std::string> done = Learn(settings);
  return done.ok() ? Print(*done) : Failure(done.status());
}

}  // namespace limpid::internal

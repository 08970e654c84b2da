// `limpid shortlist`: learns which words go with which, for `limpid translate --shortlist`.

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
    R"(Learns from text which pieces of the target language go with which of the source
language, and writes that as a shortlist beside the model. From then on a sentence
that is translated alone takes less time, and comes out the same. With `limpid
translate --shortlist` only pieces on the list that go with some piece of the text
are considered: faster for many sentences, too, and now and then another
translation.

  limpid shortlist --model=en-de --input=english.txt
  paste english.txt german.txt | limpid shortlist --model=en-de

Reads a line a sentence: the source alone, which the model then translates to
learn from its own translations; or the source, a tab, and a translation. The
more lines, the better: some hundred thousand are good.
)";

constexpr size_t kLinesAWindow = 4096;

struct Settings {
  ModelFlags model;
  std::string input;
  std::string output;
  LexicalOptions lexical;
};

// Source and translation of each line; the model translates where there is none.
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

// What there is to learn from.
struct Corpus {
  std::vector<IdPair> pairs;
  int64_t too_long = 0;  // lines that were left out
};

// All lines of the input, as ids.
absl::StatusOr<Corpus> ReadCorpus(const Translator& translator, const Tokenizer& tokenizer,
                                  const LexicalOptions& options, const File& input) {
  Corpus corpus;
  LineReader reader(input.descriptor, input.name);
  while (true) {
    const absl::StatusOr<Lines> lines = reader.Read(kLinesAWindow);
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

// Only Limpid's own folders have a place for a shortlist.
absl::Status CheckPlace(const Settings& settings, const std::string& folder) {
  if (!settings.output.empty() || IsNative(folder)) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      folder,
      ": is not a Limpid folder, and a shortlist in it would not be read; convert the model ",
      "first (limpid convert --from=", folder,
      " --to=DIR) and learn for that, or name a file with ", "--output"));
}

// Writes the shortlist; where that is the model's own, its checksum, too.
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
  if (absl::Status status = CheckPlace(settings, *folder); !status.ok()) return status;
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(*folder);
  if (!checkpoint.ok()) return checkpoint.status();
  const absl::StatusOr<std::unique_ptr<Tokenizer>> tokenizer =
      MakeTokenizer(TakeTokenizerFiles(*folder, *checkpoint));
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
    Complain(absl::StrCat("left out ", WithCommas(corpus->too_long),
                          " lines with a side of more than ", settings.lexical.max_tokens,
                          " tokens"));
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
  AddModelFlags(&settings.model, &flags);
  flags.Add("input=FILE", &settings.input, "Read lines from this file, not from standard input.");
  flags.Add("output=FILE", &settings.output,
            "Write here. Default: shortlist.bin in the model's folder, where it is looked for.");
  flags.Add("best=N", &settings.lexical.best, {1, 100000},
            "Target pieces to keep of each source piece: more are slower and miss less.");
  flags.Add("frequent=N", &settings.lexical.frequent, {0, 100000},
            "The most frequent target pieces, which go with every sentence.");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (!flags.arguments().empty()) {
    return UsageError("shortlist reads lines from --input or standard input, not its arguments");
  }
  if (settings.output == "-") {
    return UsageError("--output needs a file: a shortlist is not text");
  }
  const absl::StatusOr<std::string> done = Learn(settings);
  return done.ok() ? Print(*done) : Failure(done.status());
}

}  // namespace limpid::internal

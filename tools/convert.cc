// `limpid convert`: a model from another program, written as a folder that Limpid runs.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/flags/marshalling.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/tensor.h"
#include "models/native/native.h"
#include "tools/flags.h"
#include "tools/model.h"
#include "tools/subcommand.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid convert --from=PATH --to=DIR [FLAGS]";
constexpr char kAbout[] =
    R"(Reads a model made by another program, finds out of which kind it is, and writes
it as a folder that Limpid runs.

  limpid convert --from=opus-mt-en-de --to=models/en-de --dtype=float16
  limpid translate --model=models/en-de "I love you."
)";

struct Settings {
  std::string from;
  std::string to;
  std::string to_format = "limpid";
  std::string source_language;  // empty: as the model says
  std::string target_language;
  std::string tokenizer;  // empty: what is found
  std::optional<DType> dtype;
};

constexpr DType kDTypes[] = {DType::kFloat32, DType::kFloat16, DType::kBFloat16, DType::kInt8};

// The dtype that most numbers of the checkpoint are stored in.
DType MainDType(const Checkpoint& checkpoint) {
  std::map<DType, int64_t> numbers;
  for (const auto& [name, tensor] : checkpoint.tensors) numbers[tensor.dtype] += tensor.elements();
  DType main = DType::kFloat32;
  for (const auto& [dtype, count] : numbers) {
    if (count > numbers[main]) main = dtype;
  }
  return main;
}

std::string DescribeSource(const Checkpoint& checkpoint) {
  int64_t parameters = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) parameters += tensor.elements();
  return absl::StrCat(checkpoint.format, ", ", WithCommas(parameters), " parameters, mostly ",
                      std::string(DTypeName(MainDType(checkpoint))));
}

// "14.9 MB" of files in a folder.
std::string SizeOfFolder(const std::string& folder) {
  uintmax_t bytes = 0;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const uintmax_t size = file.file_size(error);
    if (!error) bytes += size;
  }
  return absl::StrFormat("%.1f MB", static_cast<double>(bytes) / 1e6);
}

}  // namespace

// Abseil finds these two by the type of the flag.
static bool AbslParseFlag(absl::string_view text, DType* dtype, std::string* error) {
  std::string names;
  for (const DType candidate : kDTypes) {
    const std::string name(DTypeName(candidate));
    if (text == name) {
      *dtype = candidate;
      return true;
    }
    absl::StrAppend(&names, names.empty() ? "" : ", ", name);
  }
  *error = absl::StrCat("one of ", names);
  return false;
}

static std::string AbslUnparseFlag(DType dtype) { return std::string(DTypeName(dtype)); }

namespace {

void AddFlags(Settings* settings, Flags* flags) {
  flags->Add("from=PATH", &settings->from,
             "The model to read, whatever its kind: of Hugging Face MarianMT, Marian, Firefox, "
             "CTranslate2, Argos Translate, a PyTorch nn.Transformer, or Limpid's own.");
  flags->Add("to=DIR", &settings->to, "The folder to write. It must be new or empty.");
  flags->Add("to_format=FORMAT", &settings->to_format,
             "What to write: limpid, a folder that Limpid runs, or huggingface, a MarianMT folder "
             "that transformers loads.");
  flags->Add("dtype=TYPE", &settings->dtype,
             "How to store the weights: float32, float16, bfloat16 or int8. Default: as they are.");
  flags->Add(
      "source_language=CODE", &settings->source_language,
      "The language that the model translates from, such as en or eng. Default: as the model "
      "says; CTranslate2's, Marian's and Firefox's do not.");
  flags->Add("target_language=CODE", &settings->target_language,
             "The language that it translates to.");
  flags->Add("tokenizer=KIND", &settings->tokenizer,
             "spaces: text comes already split into pieces by spaces, whatever files are there. "
             "Default: what is found.");
}

// Whether it is as BCP 47 or ISO 639 write languages: letters, then parts after hyphens.
bool IsLanguage(const std::string& name) {
  size_t part = 0;    // letters of the part so far
  bool first = true;  // the first part has no digits
  for (const char c : name) {
    if (c == '-' || c == '_') {
      if (part == 0) return false;
      part = 0;
      first = false;
    } else if (absl::ascii_isalpha(c) || (!first && absl::ascii_isdigit(c))) {
      if (++part > 8) return false;
    } else {
      return false;
    }
  }
  return part > 0 && (!first || part > 1);
}

// What is wrong with the flags; empty: nothing.
std::string FindMistake(const Settings& settings, const Flags& flags) {
  if (settings.from.empty() || settings.to.empty() || !flags.arguments().empty()) {
    return absl::StrCat("convert needs two folders: ", kUsage);
  }
  if (settings.to_format != "limpid" && settings.to_format != "huggingface") {
    return absl::StrCat("--to_format must be limpid or huggingface, not '", settings.to_format,
                        "'");
  }
  if (!settings.tokenizer.empty() && settings.tokenizer != "spaces") {
    return absl::StrCat("--tokenizer must be spaces, not '", settings.tokenizer, "'");
  }
  for (const auto& [flag, name] : {std::pair{"--source_language", settings.source_language},
                                   std::pair{"--target_language", settings.target_language}}) {
    if (name.empty() || IsLanguage(name)) continue;
    return absl::StrCat(flag, " must be a code such as en, eng or pt-BR, not '", name, "'");
  }
  return "";
}

// What the flags say beyond what the model says.
void Apply(const Settings& settings, Checkpoint* checkpoint) {
  ModelConfig& config = checkpoint->config;
  if (!settings.source_language.empty()) config.source_language = settings.source_language;
  if (!settings.target_language.empty()) config.target_language = settings.target_language;
  if (settings.tokenizer.empty()) return;
  config.tokenizer = TokenizerKind::kSpaces;
  checkpoint->source_sentencepiece.clear();
  checkpoint->target_sentencepiece.clear();
  checkpoint->subword_merges.clear();
}

}  // namespace

int RunConvert(Arguments arguments) {
  Settings settings;
  Flags flags(kUsage, kAbout);
  AddFlags(&settings, &flags);
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (const std::string mistake = FindMistake(settings, flags); !mistake.empty()) {
    return UsageError(mistake);
  }
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(settings.from);
  if (!checkpoint.ok()) return Failure(checkpoint.status());
  Apply(settings, &*checkpoint);
  if (absl::Status status = CheckTokenizer(settings.from, *checkpoint); !status.ok()) {
    return Failure(status);
  }
  const auto write = settings.to_format == "limpid" ? WriteNative : WriteHuggingFace;
  const DType to_dtype = settings.dtype.value_or(MainDType(*checkpoint));
  if (absl::Status status = write(*checkpoint, settings.to, to_dtype); !status.ok()) {
    return Failure(status);
  }
  const bool loses_shortlist =
      settings.to_format == "huggingface" && !checkpoint->shortlist.empty();
  return Print(absl::StrCat("read ", settings.from, ": ", DescribeSource(*checkpoint), "\nwrote ",
                            settings.to, ": ", std::string(DTypeName(to_dtype)), ", ",
                            SizeOfFolder(settings.to), "\n",
                            loses_shortlist ? "left out: the shortlist, for which Hugging Face's "
                                              "format has no place\n"
                                            : ""));
}

}  // namespace limpid::internal

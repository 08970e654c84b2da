// `limpid convert`: converts a model from another program.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/describe.h"
#include "models/model/tensor.h"
#include "models/native/native.h"
#include "tools/flags.h"
#include "tools/model.h"
#include "tools/subcommand.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid convert --from=PATH --to=DIR [FLAGS]";
constexpr char kAbout[] =
    R"(Converts a model made by another program, whose kind it detects, to a folder
that Limpid runs.

  limpid convert --from=opus-mt-en-de --to=models/en-de --dtype=float16
  limpid translate --model=models/en-de "I love you."
)";

struct Settings {
  std::string from;
  std::string to;
  bool to_hugging_face = false;
  std::string source_language;  // empty: the model's
  std::string target_language;
  bool split_at_spaces = false;  // whether to use no tokenizer
  std::optional<DType> dtype;    // none: the model's
};

std::string DescribeSource(const Checkpoint& checkpoint) {
  int64_t parameters = 0;
  for (const auto& [name, tensor] : checkpoint.tensors) parameters += tensor.elements();
  return absl::StrCat(checkpoint.format, ", ", WithCommas(parameters), " parameters, mostly ",
                      std::string(DTypeName(MainDType(checkpoint))));
}

// Returns the size of a folder's files, such as "14.9 MB".
std::string SizeOfFolder(const std::string& folder) {
  uintmax_t bytes = 0;
  std::error_code error;
  for (const auto& file : std::filesystem::directory_iterator(folder, error)) {
    const uintmax_t size = file.file_size(error);
    if (!error) bytes += size;
  }
  return absl::StrFormat("%.1f MB", static_cast<double>(bytes) / 1e6);
}

void AddFlags(Settings* settings, Flags* flags) {
  flags->Add("from=PATH", &settings->from,
             "The model to read: Hugging Face MarianMT, Marian, Firefox, CTranslate2, Argos "
             "Translate, PyTorch nn.Transformer, or Limpid.");
  flags->Add("to=DIR", &settings->to, "The folder to write, which must be new or empty.");
  flags->Add("to_format=FORMAT", &settings->to_hugging_face,
             {{"limpid", false}, {"huggingface", true}},
             "limpid: a folder that Limpid runs. huggingface: a MarianMT folder that transformers "
             "loads.");
  flags->Add("dtype=TYPE", &settings->dtype,
             {{"float32", DType::kFloat32},
              {"float16", DType::kFloat16},
              {"bfloat16", DType::kBFloat16},
              {"int8", DType::kInt8}},
             "The type to store weights in: float32, float16, bfloat16 or int8. Default: the "
             "model's.");
  flags->Add("source_language=CODE", &settings->source_language,
             "The source language, such as en or eng. Default: the model's; CTranslate2, Marian "
             "and Firefox models do not name one.");
  flags->Add("target_language=CODE", &settings->target_language, "The target language.");
  flags->Add("tokenizer=KIND", &settings->split_at_spaces, {{"spaces", true}},
             "spaces: expect text already split into pieces by spaces, and ignore tokenizer files. "
             "Default: the tokenizer found with the model.");
}

// Whether `name` has the form of a BCP 47 or ISO 639 code: letters, then parts after hyphens.
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

// Returns an error message, or "" if the flags are valid.
std::string FindMistake(const Settings& settings, const Flags& flags) {
  if (settings.from.empty() || settings.to.empty() || !flags.arguments().empty()) {
    return absl::StrCat("--from=PATH and --to=DIR are required: ", kUsage);
  }
  for (const auto& [flag, name] : {std::pair{"--source_language", settings.source_language},
                                   std::pair{"--target_language", settings.target_language}}) {
    if (name.empty() || IsLanguage(name)) continue;
    return absl::StrCat(flag, " must be a code such as en, eng or pt-BR, not '", name, "'");
  }
  return "";
}

// Overrides the model's configuration by the flags.
void Apply(const Settings& settings, Checkpoint* checkpoint) {
  ModelConfig& config = checkpoint->config;
  if (!settings.source_language.empty()) config.source_language = settings.source_language;
  if (!settings.target_language.empty()) config.target_language = settings.target_language;
  if (!settings.split_at_spaces) return;
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
  if (absl::Status status = CheckTokenizer(*checkpoint); !status.ok()) {
    return Failure(status);
  }
  const auto write = settings.to_hugging_face ? WriteHuggingFace : WriteNative;
  const DType to_dtype = settings.dtype.value_or(MainDType(*checkpoint));
  if (absl::Status status = write(*checkpoint, settings.to, to_dtype); !status.ok()) {
    return Failure(status);
  }
  const bool loses_shortlist = settings.to_hugging_face && !checkpoint->shortlist.empty();
  return Print(absl::StrCat("read ", settings.from, ": ", DescribeSource(*checkpoint), "\nwrote ",
                            settings.to, ": ", std::string(DTypeName(to_dtype)), ", ",
                            SizeOfFolder(settings.to), "\n",
                            loses_shortlist ? "left out: the shortlist, which Hugging Face's "
                                              "format cannot hold\n"
                                            : ""));
}

}  // namespace limpid::internal

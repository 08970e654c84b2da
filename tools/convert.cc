// `limpid convert`: a model from another program, written as a folder that Limpid runs.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <system_error>

#include "absl/flags/marshalling.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "models/checkpoint.h"
#include "models/tensor.h"
#include "tools/flags.h"
#include "tools/subcommand.h"

namespace limpid {
namespace {

constexpr char kUsage[] = "limpid convert --from=PATH --to=DIR [FLAGS]";
constexpr char kAbout[] =
    R"(Reads a model made by another program, finds out of which kind it is, and writes
it as a folder that Limpid runs.

  limpid convert --from=opus-mt-en-de --to=models/en-de --dtype=float16
  limpid translate --model=models/en-de "I love you."
)";

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

int RunConvert(Arguments arguments) {
  std::string from;
  std::string to;
  std::string to_format = "limpid";
  std::optional<DType> dtype;
  Flags flags(kUsage, kAbout);
  flags.Add("from=PATH", &from,
            "The model to read, whatever its kind: of Hugging Face MarianMT, Marian, Firefox, "
            "CTranslate2, Argos Translate, a PyTorch nn.Transformer, or Limpid's own.");
  flags.Add("to=DIR", &to, "The folder to write. It must be new or empty.");
  flags.Add("to_format=FORMAT", &to_format,
            "What to write: limpid, a folder that Limpid runs, or huggingface, a MarianMT folder "
            "that transformers loads.");
  flags.Add("dtype=TYPE", &dtype,
            "How to store the weights: float32, float16, bfloat16 or int8. Default: as they are.");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (from.empty() || to.empty() || !flags.arguments().empty()) {
    return UsageError(absl::StrCat("convert needs two folders: ", kUsage));
  }
  if (to_format != "limpid" && to_format != "huggingface") {
    return UsageError(
        absl::StrCat("--to_format must be limpid or huggingface, not '", to_format, "'"));
  }

  const absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(from);
  if (!checkpoint.ok()) return Failure(checkpoint.status());
  const auto write = to_format == "limpid" ? WriteNative : WriteHuggingFace;
  const DType to_dtype = dtype.value_or(MainDType(*checkpoint));
  if (absl::Status status = write(*checkpoint, to, to_dtype); !status.ok()) {
    return Failure(status);
  }
  const bool loses_shortlist = to_format == "huggingface" && !checkpoint->shortlist.empty();
  return Print(absl::StrCat("read ", from, ": ", DescribeSource(*checkpoint), "\nwrote ", to, ": ",
                            std::string(DTypeName(to_dtype)), ", ", SizeOfFolder(to), "\n",
                            loses_shortlist ? "left out: the shortlist, for which Hugging Face's "
                                              "format has no place\n"
                                            : ""));
}

}  // namespace limpid

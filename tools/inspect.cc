// `limpid inspect`: describes a model.

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/describe.h"
#include "models/native/checksum.h"
#include "tools/flags.h"
#include "tools/model.h"
#include "tools/subcommand.h"

namespace limpid::internal {
namespace {

constexpr char kUsage[] = "limpid inspect [--verify] [PATH]";
constexpr char kAbout[] =
    R"(Prints a model's architecture, parameters, data types, sizes, vocabulary and
tensors.

  limpid inspect models/eng-deu
  limpid inspect --verify models/eng-deu

PATH is a model of any kind that `limpid convert` reads. Default: the model that
`limpid translate` uses.
)";

std::string Verified(const std::string& path, const std::vector<std::string>& names) {
  return names.size() == 1
             ? absl::StrCat(path,
                            ": the weights match their checksums; the other files have none. To "
                            "add them, run `limpid convert`\n")
             : absl::StrCat(path, ": all files match their checksums: ", absl::StrJoin(names, ", "),
                            "\n");
}

}  // namespace

int RunInspect(Arguments arguments) {
  bool verify = false;
  Flags flags(kUsage, kAbout);
  flags.Add("verify", &verify,
            "Only compare the model's files with the checksums that `limpid convert` wrote.");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (flags.arguments().size() > 1) {
    return UsageError("inspect takes one model: limpid inspect PATH");
  }
  const absl::StatusOr<std::string> path =
      flags.arguments().empty() ? DefaultModelFolder() : flags.arguments().front();
  if (!path.ok()) return Failure(path.status());
  if (verify) {
    const absl::StatusOr<std::vector<std::string>> names = VerifyChecksums(*path);
    return names.ok() ? Print(Verified(*path, *names)) : Failure(names.status());
  }
  const absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(*path);
  if (!checkpoint.ok()) return Failure(checkpoint.status());
  const int exit_code = Print(Describe(*checkpoint));
  const absl::Status status = CheckTokenizer(*checkpoint);
  return status.ok() ? exit_code : Failure(status);
}

}  // namespace limpid::internal

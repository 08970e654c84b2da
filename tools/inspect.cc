// `limpid inspect`: what a model is made of.

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
    R"(Prints what a model is made of: its architecture, parameters, how they are
stored, sizes, vocabulary, and a table of its tensors. PATH is a model that
`limpid convert` can read; without it, the model that translates by default.

  limpid inspect models/eng-deu
)";

std::string Verified(const std::string& path, const std::vector<std::string>& names) {
  return names.size() == 1
             ? absl::StrCat(path,
                            ": the weights match their checksums; there are none of the other "
                            "files, which `limpid convert` of this version writes\n")
             : absl::StrCat(path, ": all files match their checksums: ", absl::StrJoin(names, ", "),
                            "\n");
}

}  // namespace

int RunInspect(Arguments arguments) {
  bool verify = false;
  Flags flags(kUsage, kAbout);
  flags.Add("verify", &verify,
            "Compare all files of the model with the checksums that `limpid convert` wrote; print "
            "nothing else.");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  if (flags.arguments().size() > 1) {
    return UsageError("inspect takes one model at a time: limpid inspect PATH");
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
  const absl::Status status = CheckTokenizer(*path, *checkpoint);
  return status.ok() ? exit_code : Failure(status);
}

}  // namespace limpid::internal

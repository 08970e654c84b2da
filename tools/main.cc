// The program: finds the subcommand and runs it.

#include <malloc.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "limpid/version.h"
#include "tools/flags.h"
#include "tools/streams.h"
#include "tools/subcommand.h"

namespace limpid::internal {
namespace {

struct Subcommand {
  const char* name;
  const char* summary;  // at most 64 columns, for the general help
  int (*run)(Arguments arguments);
};

int RunHelp(Arguments arguments);
int RunVersion(Arguments arguments);

constexpr Subcommand kSubcommands[] = {
    {"translate", "Translate text", RunTranslate},
    {"score", "Print the log-probability of given translations", RunScore},
    {"trace", "Show attention: which source words each word comes from", RunTrace},
    {"align", "Align the words of existing translations", RunAlign},
    {"convert", "Convert a model from another program", RunConvert},
    {"inspect", "Show a model's architecture and tensors", RunInspect},
    {"shortlist", "Learn a shortlist, which makes translating faster", RunShortlist},
    {"help", "Show help for a command: limpid help COMMAND", RunHelp},
    {"version", "Print the version", RunVersion},
};

std::string GeneralHelp() {
  std::string help =
      R"(Limpid translates text and shows how each translation is made.

  limpid translate "I love you very much."

Commands:
)";
  for (const Subcommand& subcommand : kSubcommands) {
    absl::StrAppendFormat(&help, "  %-12s%s\n", subcommand.name, subcommand.summary);
  }
  return help + "\nRun `limpid COMMAND --help` for a command's flags.\n";
}

const Subcommand* FindSubcommand(std::string_view name) {
  for (const Subcommand& subcommand : kSubcommands) {
    if (subcommand.name == name) return &subcommand;
  }
  return nullptr;
}

int UnknownSubcommand(const std::string& name) {
  std::vector<std::string> names;
  for (const Subcommand& subcommand : kSubcommands) names.emplace_back(subcommand.name);
  const std::string nearest = NearestName(name, names);
  return UsageError(absl::StrCat(
      "unknown command '", name, "'; ",
      nearest.empty() ? "to translate text: limpid translate TEXT; for all commands: limpid help"
                      : absl::StrCat("did you mean: limpid ", nearest, "?")));
}

int RunHelp(Arguments arguments) {
  if (arguments.empty() || arguments[0] == "--help") return Print(GeneralHelp());
  const Subcommand* subcommand = FindSubcommand(arguments[0]);
  if (subcommand == nullptr) return UnknownSubcommand(arguments[0]);
  if (subcommand->run == RunHelp) return Print(GeneralHelp());
  const std::vector<std::string> help_flag = {"--help"};
  return subcommand->run(help_flag);
}

int RunVersion(Arguments arguments) {
  Flags flags("limpid version", "Prints the version.\n");
  if (const std::optional<int> exit_code = ParseOrFinish(arguments, &flags)) return *exit_code;
  return Print("limpid " LIMPID_VERSION "\n");
}

// Makes the allocator keep freed memory: returning large blocks to the system and requesting them
// again takes a tenth of a start.
void KeepFreedMemory() {
  constexpr int kMegabyte = 1 << 20;
  mallopt(M_MMAP_THRESHOLD, 64 * kMegabyte);
  mallopt(M_TRIM_THRESHOLD, 128 * kMegabyte);
  mallopt(M_TOP_PAD, 16 * kMegabyte);
}

// Clears the environment, in which our libraries look for variables that write files, load data or
// code, or change results (ONEDNN_JIT_DUMP, ICU_DATA, OPENSSL_CONF …). Keeps those that we read,
// and ONEDNN_MAX_CPU_ISA, for measuring what another processor would do.
void ClearEnvironment() {
  constexpr const char* kKept[] = {"LIMPID_MODEL", "COLORTERM", "COLUMNS",
                                   "NO_COLOR",     "TERM",      "ONEDNN_MAX_CPU_ISA"};
  std::vector<std::pair<const char*, std::string>> kept;
  for (const char* name : kKept) {
    if (const char* value = std::getenv(name); value != nullptr) kept.emplace_back(name, value);
  }
  clearenv();
  for (const auto& [name, value] : kept) setenv(name, value.c_str(), /*overwrite=*/1);
}

int Run(Arguments arguments) {
  if (arguments.empty()) {
    std::cerr << GeneralHelp();
    return kUsageError;
  }
  std::string name = arguments[0];
  if (name == "--help" || name == "-h") name = "help";
  if (name == "--version") name = "version";
  const Subcommand* subcommand = FindSubcommand(name);
  return subcommand == nullptr ? UnknownSubcommand(name) : subcommand->run(arguments.subspan(1));
}

}  // namespace
}  // namespace limpid::internal

int main(int argc, char** argv) {
  limpid::internal::OccupyStandardStreams();
  // A closed pipe ends the program silently, even if the parent process ignores the signal.
  std::signal(SIGPIPE, SIG_DFL);
  limpid::internal::KeepFreedMemory();
  try {
    limpid::internal::ClearEnvironment();
    const std::vector<std::string> arguments(argv + (argc > 0 ? 1 : 0), argv + argc);
    return limpid::internal::Run(arguments);
  } catch (const std::bad_alloc&) {
    limpid::internal::Complain("out of memory; try a smaller --batch_size or fewer --threads");
  } catch (const std::system_error& error) {  // from starting a thread
    limpid::internal::Complain(absl::StrCat("out of memory or threads: ", error.what()));
  } catch (const std::exception& error) {
    limpid::internal::Complain(error.what());
  }
  return limpid::internal::kFailure;
}

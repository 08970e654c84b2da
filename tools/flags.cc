#include "tools/flags.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_join.h"
#include "tools/terminal.h"

namespace limpid::internal {
namespace {

constexpr int kHelpWidth = 80;
constexpr int kHelpIndent = 26;  // of the flags' descriptions

// Levenshtein's: the minimum number of insertions, deletions and changes that turn `a` into `b`.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);  // distances from a[0..i) to every b[0..j)
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 0; i < a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i + 1;
    for (size_t j = 0; j < b.size(); ++j) {
      const size_t change = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, change});
    }
  }
  return row.back();
}

// Whether an argument has the form of a flag: one or two dashes, a name, and optionally "=value".
bool LooksLikeFlag(std::string_view argument) {
  const size_t dashes = std::min(argument.find_first_not_of('-'), argument.size());
  const std::string_view name = argument.substr(dashes, argument.find('=') - dashes);
  const bool is_name = std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_';
  });
  return (dashes == 1 || dashes == 2) && !name.empty() && is_name &&
         absl::ascii_isalpha(static_cast<unsigned char>(name[0]));
}

}  // namespace

std::string NearestName(std::string_view name, absl::Span<const std::string> names) {
  std::string nearest;
  size_t min_distance = std::max<size_t>(2, name.size() / 3) + 1;
  for (const std::string& candidate : names) {
    const size_t distance = EditDistance(name, candidate);
    // A name with every letter changed is not similar.
    if (distance < min_distance && distance < candidate.size()) {
      min_distance = distance;
      nearest = candidate;
    }
  }
  return nearest;
}

Flags::Flags(std::string usage, std::string about)
    : usage_(std::move(usage)), about_(std::move(about)) {}

void Flags::AddFlag(std::string_view form, std::string_view help, std::string default_text,
                    bool is_switch, Assigner assign) {
  const size_t equals = std::min(form.find('='), form.size());
  Flag flag;
  flag.group = group_;
  flag.name = form.substr(0, equals);
  if (equals < form.size()) flag.placeholder = form.substr(equals + 1);
  flag.help = help;
  flag.default_text = std::move(default_text);
  flag.is_switch = is_switch;
  flag.assign = std::move(assign);
  flags_.push_back(std::move(flag));
}

const Flags::Flag* Flags::Find(std::string_view name) const {
  const auto found = std::find_if(flags_.begin(), flags_.end(),
                                  [name](const Flag& flag) { return flag.name == name; });
  return found == flags_.end() ? nullptr : &*found;
}

absl::Status Flags::Unknown(const std::string& name) const {
  std::vector<std::string> names = {"help"};
  for (const Flag& flag : flags_) names.push_back(flag.name);
  const std::string nearest = NearestName(name, names);
  return absl::InvalidArgumentError(
      absl::StrCat("unknown flag --", name,
                   nearest.empty() ? "" : absl::StrCat("; did you mean --", nearest, "?")));
}

absl::Status Flags::Set(const Given& given, absl::Span<const std::string>* rest) {
  const Flag* flag = Find(given.name);
  std::optional<std::string> value = given.value;
  if (flag == nullptr && absl::StartsWith(given.name, "no")) {
    flag = Find(given.name.substr(2));
    if (flag == nullptr || !flag->is_switch) return Unknown(given.name);
    if (value.has_value()) {
      return absl::InvalidArgumentError(
          absl::StrCat("--", given.name, " takes no value; write --", given.name, " alone"));
    }
    value = "false";
  }
  if (flag == nullptr) return Unknown(given.name);
  if (!value.has_value() && flag->is_switch) value = "true";
  if (!value.has_value() && !rest->empty() && !LooksLikeFlag(rest->front())) {
    value = rest->front();
    rest->remove_prefix(1);
  }
  if (!value.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--", flag->name, " needs a value: --", flag->name, "=", flag->placeholder));
  }
  std::string expected;
  if (flag->assign(*value, &expected)) {
    values_[flag->name] = *value;
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("--", flag->name, " must be ", expected, ", not '", *value, "'"));
}

absl::Status Flags::Parse(absl::Span<const std::string> arguments) {
  while (!arguments.empty()) {
    const std::string& argument = arguments.front();
    arguments.remove_prefix(1);
    if (argument == "--") {
      arguments_.insert(arguments_.end(), arguments.begin(), arguments.end());
      break;
    }
    if (!LooksLikeFlag(argument)) {
      arguments_.push_back(argument);
      continue;
    }
    const size_t begin = argument.find_first_not_of('-');
    const size_t equals = argument.find('=');
    Given given{argument.substr(begin, equals - begin), std::nullopt};
    // --batch-size is --batch_size.
    std::replace(given.name.begin(), given.name.end(), '-', '_');
    if (equals != std::string::npos) given.value = argument.substr(equals + 1);
    if (given.name == "help" || given.name == "h") {
      help_wanted_ = true;
      continue;
    }
    if (absl::Status status = Set(given, &arguments); !status.ok()) return status;
  }
  return absl::OkStatus();
}

std::string Flags::GivenExcept(absl::Span<const std::string> without) const {
  std::vector<std::string> given;
  for (const auto& [name, value] : values_) {
    const std::string& default_text = Find(name)->default_text;
    const bool counts = std::find(without.begin(), without.end(), name) == without.end();
    if (counts && value != default_text) {
      given.push_back(absl::StrCat("--", name, "=", absl::Utf8SafeCEscape(value)));
    }
  }
  return absl::StrJoin(given, " ");
}

std::string Flags::Help() const {
  std::string help = absl::StrCat("Usage: ", usage_, "\n\n", about_);
  std::string group;
  for (const Flag& flag : flags_) {
    if (flag.group != group) absl::StrAppend(&help, "\n", flag.group, ":\n");
    group = flag.group;
    const bool on = flag.is_switch && flag.default_text == "true";
    std::string line = absl::StrCat("  --", on ? "[no]" : "", flag.name,
                                    flag.placeholder.empty() ? "" : "=", flag.placeholder);
    std::string text = flag.help;
    if (!flag.is_switch && !flag.default_text.empty()) {
      absl::StrAppend(&text, " Default: ", flag.default_text, ".");
    }
    text = Wrap(text, kHelpWidth, kHelpIndent);
    if (line.size() + 2 > kHelpIndent) {
      line += '\n';
    } else {
      text.erase(0, line.size());  // its indentation
    }
    absl::StrAppend(&help, line, text);
  }
  return help;
}

}  // namespace limpid::internal

// The flags of one subcommand, in Abseil's style: --name=value, --name value, --switch, --noswitch.
//
//   int batch_size = 64;
//   Flags flags("limpid translate [FLAGS] [TEXT...]", "Translates text.");
//   flags.Add("batch_size=N", &batch_size, Range{1, 1000}, "Sentences translated together.");
//   absl::Status status = flags.Parse(arguments);
//
// Values are read by Abseil's own rules (absl/flags/marshalling.h). ABSL_FLAG itself is not used:
// its flags are global, and two subcommands could not give one name two meanings.

#ifndef LIMPID_TOOLS_FLAGS_H_
#define LIMPID_TOOLS_FLAGS_H_

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/flags/marshalling.h"
#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"

namespace limpid::internal {

// The valid values of a number, both ends included.
template <typename T>
struct Range {
  T min;
  T max;
};
template <typename T>
Range(T, T) -> Range<T>;

class Flags {
 public:
  // `usage` is the syntax in one line; `about` is the text after it in the help.
  Flags(std::string usage, std::string about);

  // Adds a flag. `form` is the flag as the help shows it: "scores" for a switch, "input=FILE" for a
  // flag with a value. `value` must outlive the flags; its current value is the default.
  template <typename T>
  void Add(std::string_view form, T* value, std::string_view help) {
    AddFlag(form, help, absl::UnparseFlag(*value), std::is_same_v<T, bool>,
            [value](const std::string& text, std::string* expected) {
              return Assign(text, value, expected);
            });
  }

  // Adds a numeric flag with a range.
  template <typename T>
  void Add(std::string_view form, T* value, std::type_identity_t<Range<T>> range,
           std::string_view help) {
    AddFlag(form, help, absl::UnparseFlag(*value), /*is_switch=*/false,
            [value, range](const std::string& text, std::string* expected) {
              *expected =
                  absl::StrCat(std::is_integral_v<T> ? "a whole number" : "a number", " from ",
                               absl::UnparseFlag(range.min), " to ", absl::UnparseFlag(range.max));
              T number;
              std::string ignored;
              if (!absl::ParseFlag(text, &number, &ignored)) return false;
              if (!(number >= range.min && number <= range.max)) return false;
              *value = number;
              return true;
            });
  }

  // Adds a flag whose value is one of these words, each given with its meaning.
  template <typename T>
  void Add(std::string_view form, T* value,
           std::type_identity_t<std::vector<std::pair<std::string, T>>> choices,
           std::string_view help) {
    std::string default_text;
    std::string expected;
    for (size_t i = 0; i < choices.size(); ++i) {
      if (choices[i].second == *value) default_text = choices[i].first;
      const bool last = i + 1 == choices.size();
      absl::StrAppend(&expected, i == 0 ? "" : last ? " or " : ", ", choices[i].first);
    }
    AddFlag(form, help, default_text, /*is_switch=*/false,
            [value, choices, expected](const std::string& text, std::string* wanted) {
              *wanted = expected;
              for (const auto& [word, meaning] : choices) {
                if (word != text) continue;
                *value = meaning;
                return true;
              }
              return false;
            });
  }

  // Starts a group: the help lists the flags added from here on under `title`.
  void Group(std::string title) { group_ = std::move(title); }

  // Sets the flags' values from `arguments` and collects the rest in arguments(). Flags and
  // arguments may be mixed; after "--" everything is an argument, and so is what does not look like
  // a flag, such as "-5 degrees". The last value of a flag wins. Fails with InvalidArgument and a
  // message of one line that says what to do.
  absl::Status Parse(absl::Span<const std::string> arguments);

  const std::vector<std::string>& arguments() const { return arguments_; }
  // Returns "--name=value …" for the flags that differ from their defaults, except `without`,
  // sorted by name and without line ends.
  std::string GivenExcept(absl::Span<const std::string> without) const;
  // Whether --help or -h was among the arguments.
  bool help_wanted() const { return help_wanted_; }

  // The text for --help, at most 80 columns wide if `about` is.
  std::string Help() const;

 private:
  // Sets the flag from `text`. On failure, returns false and describes the `expected` values.
  using Assigner = std::function<bool(const std::string& text, std::string* expected)>;
  struct Flag {
    std::string group;
    std::string name;
    std::string placeholder;  // "FILE"; empty for a switch
    std::string help;
    std::string default_text;
    bool is_switch = false;
    Assigner assign;
  };
  // A parsed argument: --name=value, or --noname for a switch.
  struct Given {
    std::string name;
    std::optional<std::string> value;
  };

  template <typename T>
  static bool Assign(const std::string& text, T* value, std::string* expected) {
    *expected = std::is_same_v<T, bool> ? "true or false" : "a value";
    std::string error;
    return absl::ParseFlag(text, value, &error);
  }

  void AddFlag(std::string_view form, std::string_view help, std::string default_text,
               bool is_switch, Assigner assign);
  const Flag* Find(std::string_view name) const;
  absl::Status Unknown(const std::string& name) const;
  // `rest`: the arguments after the flag; takes the first one if the flag needs a value.
  absl::Status Set(const Given& given, absl::Span<const std::string>* rest);

  std::string usage_;
  std::string about_;
  std::string group_ = "Flags";
  std::vector<Flag> flags_;
  std::vector<std::string> arguments_;
  std::map<std::string, std::string> values_;  // given flags
  bool help_wanted_ = false;
};

// Returns the name that `name` is probably a misspelling of, or "" if none is close.
std::string NearestName(std::string_view name, absl::Span<const std::string> names);

}  // namespace limpid::internal

#endif  // LIMPID_TOOLS_FLAGS_H_

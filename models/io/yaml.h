// The subset of YAML that Marian writes: a mapping of names to scalars and lists of scalars. Parses
// untrusted text with libyaml.

#ifndef LIMPID_MODELS_IO_YAML_H_
#define LIMPID_MODELS_IO_YAML_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace limpid::internal {

// A scalar is a list of one; its text is without quotes.
struct YamlValue {
  bool is_list = false;
  std::vector<std::string> items = {};
};

using YamlMapping = std::map<std::string, YamlValue, std::less<>>;

// Parses one mapping. Fails with InvalidArgument, naming the line, on repeated keys, aliases and
// deeper nesting.
absl::StatusOr<YamlMapping> ParseYaml(std::string_view text);

// ParseYaml of a whole file. Errors name it; NotFound if there is none.
absl::StatusOr<YamlMapping> ReadYaml(const std::string& path);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_YAML_H_

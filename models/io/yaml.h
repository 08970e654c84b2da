// The little YAML that Marian writes, a mapping of names to scalars and lists of scalars, parsed by
// libyaml without trust.

#ifndef LIMPID_MODELS_IO_YAML_H_
#define LIMPID_MODELS_IO_YAML_H_

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace limpid::internal {

// A scalar, as it is written but for quotes, is a list of one.
struct YamlValue {
  bool is_list = false;
  std::vector<std::string> items = {};
};

using YamlMapping = std::map<std::string, YamlValue, std::less<>>;

// Parses a text of one mapping. Refuses keys that repeat, aliases, and anything nested deeper, with
// InvalidArgument that says in which line.
absl::StatusOr<YamlMapping> ParseYaml(std::string_view text);

// ParseYaml for a whole file; errors name it. Fails with NotFound if there is none.
absl::StatusOr<YamlMapping> ReadYaml(const std::string& path);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_YAML_H_

// Parses untrusted JSON without exceptions, and formats values for messages.

#ifndef LIMPID_MODELS_IO_JSON_H_
#define LIMPID_MODELS_IO_JSON_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {

// Parses one JSON text. Fails with InvalidArgument on invalid JSON or UTF-8, on keys that repeat
// within an object, and on nesting deeper than 16.
absl::StatusOr<nlohmann::json> ParseJson(std::string_view text);

// ParseJson for a text that must be an object.
absl::StatusOr<nlohmann::json> ParseJsonObject(std::string_view text);

// ParseJsonObject of a whole file. Errors name it.
absl::StatusOr<nlohmann::json> ReadJsonObject(const std::string& path);

// The value of a JSON integer that fits an int; otherwise nothing.
std::optional<int> IntFromJson(const nlohmann::json& value);

// Formats an array of strings, one per line. Fails with InvalidArgument on one that is not UTF-8.
absl::StatusOr<std::string> FormatStrings(const std::vector<std::string>& strings);

// `text` for a message: quoted, control characters escaped, truncated if long.
std::string Quoted(const std::string& text);

// `value` for a message: a scalar as in JSON, otherwise "an array" or "an object".
std::string Shown(const nlohmann::json& value);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_JSON_H_

// JSON from outside: parsed without trust and without exceptions, and shown in messages.

#ifndef LIMPID_MODELS_IO_JSON_H_
#define LIMPID_MODELS_IO_JSON_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "nlohmann/json.hpp"

namespace limpid::internal {

// Parses one JSON text. Beyond what JSON forbids (invalid UTF-8 included) refuses keys that repeat
// within an object, and nesting deeper than 16, with InvalidArgument.
absl::StatusOr<nlohmann::json> ParseJson(std::string_view text);

// ParseJson for a text that has to be an object.
absl::StatusOr<nlohmann::json> ParseJsonObject(std::string_view text);

// ParseJsonObject of a whole file, which errors name.
absl::StatusOr<nlohmann::json> ReadJsonObject(const std::string& path);

// A JSON number that is whole and fits an int; else nothing.
std::optional<int> IntFromJson(const nlohmann::json& value);

// Writes an array of strings, one a line. Fails with InvalidArgument on one that is not UTF-8,
// which JSON cannot hold.
absl::StatusOr<std::string> FormatStrings(const std::vector<std::string>& strings);

// `text` for a message: in quotes, control characters escaped, cut when long.
std::string Quoted(const std::string& text);

// `value` for a message: a scalar as it stands in JSON, else "an array" or "an object".
std::string Shown(const nlohmann::json& value);

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_IO_JSON_H_

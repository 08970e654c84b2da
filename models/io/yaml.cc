#include "models/io/yaml.h"

#include <yaml.h>

#include <new>
#include <utility>

#include "absl/strings/str_cat.h"
#include "models/io/file.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

// libyaml's event parser, which does not recurse.
class Events {
 public:
  explicit Events(std::string_view text) {
    if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
    yaml_parser_set_encoding(&parser_, YAML_UTF8_ENCODING);
    if (text.empty()) text = "";  // libyaml needs a pointer that is not null
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                 text.size());
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  absl::Status Next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) != 0) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("is not YAML: line ", parser_.problem_mark.line + 1, ": ",
                     parser_.problem == nullptr ? "cannot be read" : parser_.problem));
  }

  yaml_event_type_t type() const { return event_.type; }
  std::string text() const {
    return {reinterpret_cast<const char*>(event_.data.scalar.value), event_.data.scalar.length};
  }

  absl::Status Expecting(const char* expected) const {
    return absl::InvalidArgumentError(
        absl::StrCat("line ", event_.start_mark.line + 1, ": expected ", expected));
  }

  // Advances to the next event, which must be of type `wanted`.
  absl::Status Next(yaml_event_type_t wanted, const char* expected) {
    absl::Status status = Next();
    if (status.ok() && type() != wanted) return Expecting(expected);
    return status;
  }

 private:
  yaml_parser_t parser_ = {};
  yaml_event_t event_ = {};
};

absl::StatusOr<YamlValue> ParseValue(Events& events) {
  YamlValue value;
  if (absl::Status status = events.Next(); !status.ok()) return status;
  if (events.type() == YAML_SCALAR_EVENT) {
    value.items.push_back(events.text());
    return value;
  }
  constexpr char kExpected[] = "a scalar, or a list of scalars";
  if (events.type() != YAML_SEQUENCE_START_EVENT) return events.Expecting(kExpected);
  value.is_list = true;
  while (true) {
    if (absl::Status status = events.Next(); !status.ok()) return status;
    if (events.type() == YAML_SEQUENCE_END_EVENT) return value;
    if (events.type() != YAML_SCALAR_EVENT) return events.Expecting(kExpected);
    value.items.push_back(events.text());
  }
}

}  // namespace

absl::StatusOr<YamlMapping> ParseYaml(std::string_view text) {
  Events events(text);
  absl::Status status = events.Next(YAML_STREAM_START_EVENT, "a YAML stream");
  if (status.ok()) status = events.Next(YAML_DOCUMENT_START_EVENT, "a YAML document");
  if (status.ok()) status = events.Next(YAML_MAPPING_START_EVENT, "names with values");
  if (!status.ok()) return status;
  YamlMapping mapping;
  while (true) {
    if (status = events.Next(); !status.ok()) return status;
    if (events.type() == YAML_MAPPING_END_EVENT) break;
    if (events.type() != YAML_SCALAR_EVENT) return events.Expecting("a name");
    std::string key = events.text();
    if (mapping.contains(key)) {
      return events.Expecting(
          absl::StrCat("each name once, found ", Quoted(key), " again").c_str());
    }
    absl::StatusOr<YamlValue> value = ParseValue(events);
    if (!value.ok()) return value.status();
    mapping.emplace(std::move(key), *std::move(value));
  }
  status = events.Next(YAML_DOCUMENT_END_EVENT, "the end");
  if (status.ok()) status = events.Next(YAML_STREAM_END_EVENT, "one YAML document");
  if (!status.ok()) return status;
  return mapping;
}

absl::StatusOr<YamlMapping> ReadYaml(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<YamlMapping> mapping = ParseYaml((*file)->text());
  if (!mapping.ok()) return InContext(path, mapping.status());
  return mapping;
}

}  // namespace limpid::internal

#include "models/io/json.h"

#include <cstdint>
#include <limits>
#include <new>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "models/io/file.h"

namespace limpid::internal {
namespace {

using nlohmann::json;

constexpr size_t kMaxDepth = 16;

// Builds the document as nlohmann's parser does, but refuses repeated keys and deep nesting.
class DocumentBuilder : public nlohmann::json_sax<json> {
 public:
  explicit DocumentBuilder(json& document) : document_(document) {}

  bool null() override { return Add(nullptr); }
  bool boolean(bool value) override { return Add(value); }
  bool number_integer(number_integer_t value) override { return Add(value); }
  bool number_unsigned(number_unsigned_t value) override { return Add(value); }
  bool number_float(number_float_t value, const string_t& /*text*/) override { return Add(value); }
  bool string(string_t& value) override { return Add(std::move(value)); }
  bool binary(binary_t& /*value*/) override { return Fail("is not JSON"); }
  bool start_object(size_t /*size*/) override { return Open(json::object()); }
  bool start_array(size_t /*size*/) override { return Open(json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }

  bool key(string_t& name) override {
    auto [member, inserted] = open_.back()->get_ref<json::object_t&>().try_emplace(name);
    if (!inserted) return Fail(absl::StrCat("has the key ", Quoted(name), " twice"));
    member_ = &member->second;
    return true;
  }

  bool parse_error(size_t /*position*/, const std::string& /*token*/,
                   const nlohmann::detail::exception& cause) override {
    // what() begins with the exception's name in brackets and may quote the whole input.
    const std::string what = cause.what();
    const size_t bracket = what.find("] ");
    return Fail(absl::StrCat("is not valid JSON: ",
                             what.substr(bracket == std::string::npos ? 0 : bracket + 2, 200)));
  }

  std::string error;

 private:
  bool Fail(std::string message) {
    error = std::move(message);
    return false;
  }

  // Appends a value to the innermost open container and returns its address.
  json* Place(json value) {
    if (open_.empty()) return &(document_ = std::move(value));
    if (!open_.back()->is_array()) return &(*member_ = std::move(value));
    open_.back()->push_back(std::move(value));
    return &open_.back()->back();
  }

  bool Add(json value) {
    Place(std::move(value));
    return true;
  }

  bool Open(json container) {
    if (open_.size() == kMaxDepth) {
      return Fail(absl::StrCat("is nested deeper than ", kMaxDepth, " levels"));
    }
    open_.push_back(Place(std::move(container)));
    return true;
  }

  bool Close() {
    open_.pop_back();
    return true;
  }

  json& document_;
  std::vector<json*> open_;  // the objects and arrays that the next value is in, outermost first
  json* member_ = nullptr;   // the place of the last key's value
};

}  // namespace

absl::StatusOr<json> ParseJson(std::string_view text) {
  json document;
  DocumentBuilder builder(document);
  // nlohmann's destructor flattens into a vector and terminates on bad_alloc, so that memory for it
  // is reserved up front.
  std::string reserve;
  reserve.reserve(text.size() * sizeof(json));  // twice what it can need: a vector doubles
  try {
    if (!json::sax_parse(text, &builder)) return absl::InvalidArgumentError(builder.error);
  } catch (const std::bad_alloc&) {
    std::string().swap(reserve);
    throw;
  }
  return document;
}

absl::StatusOr<json> ParseJsonObject(std::string_view text) {
  absl::StatusOr<json> document = ParseJson(text);
  if (document.ok() && !document->is_object()) {
    return absl::InvalidArgumentError(
        absl::StrCat("expected a JSON object, found ", Shown(*document)));
  }
  return document;
}

absl::StatusOr<json> ReadJsonObject(const std::string& path) {
  const auto file = MappedFile::Open(path);
  if (!file.ok()) return file.status();
  absl::StatusOr<json> object = ParseJsonObject((*file)->text());
  if (!object.ok()) return InContext(path, object.status());
  return object;
}

std::optional<int> IntFromJson(const json& value) {
  if (!value.is_number_integer()) return std::nullopt;
  constexpr int64_t kMax = std::numeric_limits<int>::max();
  if (value.is_number_unsigned() && value.get<uint64_t>() > kMax) return std::nullopt;
  const auto number = value.get<int64_t>();
  if (number < -kMax - 1 || number > kMax) return std::nullopt;
  return static_cast<int>(number);
}

absl::StatusOr<std::string> FormatStrings(const std::vector<std::string>& strings) {
  try {
    return json(strings).dump(/*indent=*/0) + "\n";
  } catch (const json::type_error&) {
    return absl::InvalidArgumentError("a string is not valid UTF-8");
  }
}

std::string Quoted(const std::string& text) {
  constexpr size_t kMaxShown = 100;
  if (text.size() <= kMaxShown) return absl::StrCat("\"", absl::Utf8SafeCEscape(text), "\"");
  size_t end = kMaxShown;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return absl::StrCat("\"", absl::Utf8SafeCEscape(text.substr(0, end)), "…\"");
}

std::string Shown(const json& value) {
  if (value.is_object()) return "an object";
  if (value.is_array()) return "an array";
  if (value.is_string()) return Quoted(value.get_ref<const std::string&>());
  return value.dump();
}

}  // namespace limpid::internal

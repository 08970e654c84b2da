#include "models/formats/ctranslate2_variables.h"

#include <cmath>
#include <cstring>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "models/io/bytes.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/model/convert_tensor.h"

namespace limpid::internal {
namespace {

constexpr uint32_t kFirstVersion = 1;
constexpr uint32_t kFirstVersionWithSpecification = 2;
constexpr uint32_t kLastVersion = 6;
constexpr uint32_t kFirstVersionWithAliases = 3;
constexpr uint32_t kFirstVersionWithTypes = 4;

// As they stand in the file.
enum class Type : uint8_t { kFloat32, kInt8, kInt16, kInt32, kFloat16, kBFloat16 };
constexpr uint8_t kTypes = 6;

size_t SizeOf(Type type) {
  switch (type) {
    case Type::kInt8:
      return 1;
    case Type::kInt16:
    case Type::kFloat16:
    case Type::kBFloat16:
      return 2;
    case Type::kFloat32:
    case Type::kInt32:
      return 4;
  }
  return 0;
}

struct Variable {
  Type type = Type::kFloat32;
  std::vector<int64_t> shape;  // none: a scalar
  absl::Span<const std::byte> data;
};
using VariableMap = std::map<std::string, Variable, std::less<>>;

absl::Status VariableError(const std::string& name, const std::string& message) {
  return absl::InvalidArgumentError(absl::StrCat("variable ", Quoted(name), " ", message));
}

absl::StatusOr<std::string> ReadName(ByteReader& reader, const char* what) {
  const absl::StatusOr<uint16_t> length = reader.Read<uint16_t>(what);
  if (!length.ok()) return length.status();
  absl::StatusOr<std::string> name = reader.TakeText(*length, what);
  if (!name.ok()) return name;
  if (name->empty() || name->find('\0') != name->size() - 1) {
    return absl::InvalidArgumentError(absl::StrCat("expected ", what, " with a NUL at its end, ",
                                                   "before byte ", reader.position(), ", found ",
                                                   Quoted(*name)));
  }
  name->pop_back();
  return name;
}

// Before version 4 an element's size is all that is said of its type.
absl::StatusOr<Type> TypeOfSize(uint8_t size) {
  for (const Type type : {Type::kFloat32, Type::kInt16, Type::kInt8}) {
    if (SizeOf(type) == size) return type;
  }
  return absl::InvalidArgumentError(absl::StrCat("has elements of ", size, " bytes"));
}

absl::Status ReadType(uint32_t version, ByteReader& reader, Variable& variable, uint64_t& bytes) {
  const absl::StatusOr<uint8_t> code = reader.Read<uint8_t>("a variable's type");
  if (!code.ok()) return code.status();
  const absl::StatusOr<uint32_t> count = reader.Read<uint32_t>("a variable's size");
  if (!count.ok()) return count.status();
  bytes = *count;
  if (version >= kFirstVersionWithTypes) {
    if (*code >= kTypes) {
      return absl::InvalidArgumentError(absl::StrCat("has the unknown type ", *code));
    }
    variable.type = static_cast<Type>(*code);
    return absl::OkStatus();
  }
  const absl::StatusOr<Type> type = TypeOfSize(*code);
  if (!type.ok()) return type.status();
  variable.type = *type;
  bytes *= SizeOf(*type);
  return absl::OkStatus();
}

// Everything after a variable's name.
absl::StatusOr<Variable> ReadVariable(uint32_t version, ByteReader& reader) {
  Variable variable;
  const absl::StatusOr<uint8_t> rank = reader.Read<uint8_t>("a variable's rank");
  if (!rank.ok()) return rank.status();
  constexpr int kMaxDimensions = 8;
  if (*rank > kMaxDimensions) {
    return absl::InvalidArgumentError(absl::StrCat(
        "has ", static_cast<int>(*rank), " dimensions; expected at most ", kMaxDimensions));
  }
  for (int i = 0; i < *rank; ++i) {
    const absl::StatusOr<uint32_t> dimension = reader.Read<uint32_t>("a dimension");
    if (!dimension.ok()) return dimension.status();
    variable.shape.push_back(*dimension);
  }
  uint64_t bytes = 0;
  if (absl::Status status = ReadType(version, reader, variable, bytes); !status.ok()) return status;
  uint64_t expected = SizeOf(variable.type);
  bool overflows = false;
  for (const int64_t dimension : variable.shape) {
    overflows |= __builtin_mul_overflow(expected, static_cast<uint64_t>(dimension), &expected);
  }
  if (overflows || expected != bytes || bytes == 0) {
    return absl::InvalidArgumentError(absl::StrCat("of shape ", ShapeName(variable.shape), " has ",
                                                   bytes, " bytes of ", SizeOf(variable.type),
                                                   " an element"));
  }
  const auto data = reader.Take(bytes, "a variable's data");
  if (!data.ok()) return data.status();
  variable.data = *data;
  return variable;
}

// Replaces the first occurrence, if there is one.
void Replace(std::string_view from, std::string_view to, std::string& text) {
  const size_t at = text.find(from);
  if (at != std::string::npos) text.replace(at, from.size(), to);
}

// The newer name of a variable of revision 1, which has OpenNMT-tf's. CTranslate2 replaces the same
// in the same order.
std::string NameSinceRevision2(std::string name) {
  for (const auto& [theirs, ours] :
       {std::pair{"transformer/", ""}, std::pair{":0", ""},
        std::pair{"w_embs", "embeddings/weight"}, std::pair{"kernel", "weight"},
        std::pair{"LayerNorm", "layer_norm"}, std::pair{"dense", "projection"},
        std::pair{"conv1d_", "linear_"}, std::pair{"conv1d", "linear_0"}}) {
    Replace(theirs, ours, name);
  }
  if (name.find("encoder") != std::string::npos) {
    Replace("multi_head", "self_attention", name);
  } else {
    Replace("masked_multi_head", "self_attention", name);
    Replace("multi_head", "attention", name);
  }
  return name;
}

absl::StatusOr<VariableMap> ReadVariables(uint32_t version, uint32_t revision, ByteReader& reader) {
  const absl::StatusOr<uint32_t> count = reader.Read<uint32_t>("the number of variables");
  if (!count.ok()) return count.status();
  VariableMap variables;
  for (uint32_t i = 0; i < *count; ++i) {
    absl::StatusOr<std::string> name = ReadName(reader, "a variable's name");
    if (!name.ok()) return name.status();
    if (revision == 1) name = NameSinceRevision2(*std::move(name));
    absl::StatusOr<Variable> variable = ReadVariable(version, reader);
    if (!variable.ok()) {
      return InContext(absl::StrCat("variable ", Quoted(*name)), variable.status());
    }
    if (!variables.emplace(*name, *std::move(variable)).second) {
      return VariableError(*name, "is there twice");
    }
  }
  return variables;
}

template <typename T>
T ReadAs(const std::byte* data) {
  T value;
  std::memcpy(&value, data, sizeof(T));
  return value;
}

// A view of a variable whose type the engine has; copied if it is not aligned.
TensorView ViewOf(const Variable& variable, std::vector<std::shared_ptr<const void>>& storage) {
  TensorView tensor;
  tensor.shape = variable.shape;
  switch (variable.type) {
    case Type::kFloat16:
      tensor.dtype = DType::kFloat16;
      break;
    case Type::kBFloat16:
      tensor.dtype = DType::kBFloat16;
      break;
    case Type::kInt8:
      tensor.dtype = DType::kInt8;
      break;
    default:
      tensor.dtype = DType::kFloat32;
  }
  tensor.data = variable.data.data();
  if (reinterpret_cast<uintptr_t>(tensor.data) % SizeOf(variable.type) != 0) {
    auto copy =
        std::make_shared<std::vector<std::byte>>(variable.data.begin(), variable.data.end());
    tensor.data = copy->data();
    storage.push_back(std::move(copy));
  }
  return tensor;
}

// Turns the variables of a file into what CTranslate2Variables has.
class Interpreter {
 public:
  explicit Interpreter(VariableMap variables) : variables_(std::move(variables)) {}

  absl::Status Run(CTranslate2Variables& out) {
    for (const auto& [name, variable] : variables_) {
      if (absl::Status status = Interpret(name, variable, out); !status.ok()) return status;
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Interpret(const std::string& name, const Variable& variable,
                         CTranslate2Variables& out);
  absl::Status InterpretScalar(const std::string& name, const Variable& variable,
                               CTranslate2Variables& out);
  absl::Status InterpretInt16(const std::string& name, const Variable& variable,
                              CTranslate2Variables& out);
  // A vector of int8 is a text.
  absl::Status InterpretInt8(const std::string& name, const Variable& variable,
                             CTranslate2Variables& out);

  // Factors of the rows of an integer matrix: value = integer * factor. CTranslate2 stores what the
  // value was multiplied by, one number a row or one for all.
  absl::StatusOr<std::vector<float>> RowFactors(const std::string& name, const Variable& variable);

  // Whether `name` is the scale of another variable.
  bool IsScale(std::string_view name) const {
    constexpr std::string_view kSuffix = "_scale";
    return name.ends_with(kSuffix) &&
           variables_.find(name.substr(0, name.size() - kSuffix.size())) != variables_.end();
  }

  VariableMap variables_;
};

absl::StatusOr<std::vector<float>> Interpreter::RowFactors(const std::string& name,
                                                           const Variable& variable) {
  constexpr float kInt16Scale = 1000;  // of files that do not state it
  const std::string scale_name = name + "_scale";
  const auto rows = static_cast<size_t>(variable.shape[0]);
  const auto scale = variables_.find(scale_name);
  if (scale == variables_.end()) {
    if (variable.type == Type::kInt16) return std::vector<float>(rows, 1 / kInt16Scale);
    return VariableError(name, absl::StrCat("is int8 and needs a variable ", Quoted(scale_name)));
  }
  const absl::Span<const std::byte> data = scale->second.data;
  const size_t count = data.size() / sizeof(float);
  if (scale->second.type != Type::kFloat32 || (count != 1 && count != rows)) {
    return VariableError(scale_name, absl::StrCat("has shape ", ShapeName(scale->second.shape),
                                                  "; expected 1 or ", rows, " float32 numbers"));
  }
  std::vector<float> factors(rows);
  for (size_t row = 0; row < rows; ++row) {
    const float number = ReadAs<float>(&data[count == 1 ? 0 : row * sizeof(float)]);
    factors[row] = 1 / number;
    if (number > 0 && std::isfinite(number) && std::isfinite(factors[row])) continue;
    return VariableError(scale_name, absl::StrCat("holds ", number, "; expected a number above 0"));
  }
  return factors;
}

absl::Status Interpreter::InterpretScalar(const std::string& name, const Variable& variable,
                                          CTranslate2Variables& out) {
  const std::byte* data = variable.data.data();
  double value = 0;
  switch (variable.type) {
    case Type::kInt8:
      value = ReadAs<int8_t>(data);
      break;
    case Type::kInt16:
      value = ReadAs<int16_t>(data);
      break;
    case Type::kInt32:
      value = ReadAs<int32_t>(data);
      break;
    default: {
      float number = 0;
      ReadRow(ViewOf(variable, out.storage), 0, &number);
      value = number;
    }
  }
  if (!std::isfinite(value)) return VariableError(name, "is not a finite number");
  out.scalars[name] = {value, variable.type == Type::kInt8};
  return absl::OkStatus();
}

absl::Status Interpreter::InterpretInt16(const std::string& name, const Variable& variable,
                                         CTranslate2Variables& out) {
  const absl::StatusOr<std::vector<float>> factors = RowFactors(name, variable);
  if (!factors.ok()) return factors.status();
  auto values = std::make_shared<std::vector<float>>(variable.data.size() / sizeof(int16_t));
  const size_t columns = values->size() / factors->size();
  for (size_t i = 0; i < values->size(); ++i) {
    const auto integer = ReadAs<int16_t>(&variable.data[i * sizeof(int16_t)]);
    (*values)[i] = static_cast<float>(integer) * (*factors)[i / columns];
  }
  out.tensors[name] = {.dtype = DType::kFloat32,
                       .shape = variable.shape,
                       .data = reinterpret_cast<const std::byte*>(values->data())};
  out.storage.push_back(std::move(values));
  return absl::OkStatus();
}

absl::Status Interpreter::InterpretInt8(const std::string& name, const Variable& variable,
                                        CTranslate2Variables& out) {
  if (variable.shape.size() == 1) {
    constexpr size_t kLongestText = 100;  // each alias gets a copy
    if (variable.data.size() > kLongestText) {
      return VariableError(name, absl::StrCat("is a text of ", variable.data.size(),
                                              " bytes; expected at most ", kLongestText));
    }
    out.texts[name] = {reinterpret_cast<const char*>(variable.data.data()), variable.data.size()};
    return absl::OkStatus();
  }
  absl::StatusOr<std::vector<float>> factors = RowFactors(name, variable);
  if (!factors.ok()) return factors.status();
  auto scales = std::make_shared<std::vector<float>>(*std::move(factors));
  TensorView tensor = ViewOf(variable, out.storage);
  tensor.scales = scales->data();
  out.storage.push_back(std::move(scales));
  out.tensors[name] = std::move(tensor);
  return absl::OkStatus();
}

absl::Status Interpreter::Interpret(const std::string& name, const Variable& variable,
                                    CTranslate2Variables& out) {
  if (IsScale(name)) return absl::OkStatus();
  if (variable.shape.empty()) return InterpretScalar(name, variable, out);
  if (variable.type == Type::kInt16) return InterpretInt16(name, variable, out);
  if (variable.type == Type::kInt8) return InterpretInt8(name, variable, out);
  if (variable.type == Type::kInt32) {
    return VariableError(name, "is an array of int32, which Limpid knows no use for");
  }
  TensorView tensor = ViewOf(variable, out.storage);
  if (variable.shape.size() == 1) {
    absl::Status status = ConvertTensor(DType::kFloat32, tensor, out.storage);
    if (!status.ok()) return InContext(absl::StrCat("variable ", Quoted(name)), status);
  }
  out.tensors[name] = std::move(tensor);
  return absl::OkStatus();
}

// Puts a copy of the entry `name`, if there is one, at `alias`.
template <typename Map>
bool AddAlias(const std::string& alias, const std::string& name, Map& map) {
  const auto found = map.find(name);
  if (found == map.end()) return false;
  map.insert_or_assign(alias, typename Map::mapped_type(found->second));
  return true;
}

absl::Status ReadAliases(ByteReader& reader, CTranslate2Variables& out) {
  const absl::StatusOr<uint32_t> count = reader.Read<uint32_t>("the number of aliases");
  if (!count.ok()) return count.status();
  for (uint32_t i = 0; i < *count; ++i) {
    const absl::StatusOr<std::string> alias = ReadName(reader, "an alias");
    if (!alias.ok()) return alias.status();
    const absl::StatusOr<std::string> name = ReadName(reader, "what an alias stands for");
    if (!name.ok()) return name.status();
    const bool found = AddAlias(*alias, *name, out.tensors) ||
                       AddAlias(*alias, *name, out.scalars) || AddAlias(*alias, *name, out.texts);
    // Scales follow what they are the scales of, and are not looked for here.
    if (!found && !name->ends_with("_scale")) {
      return VariableError(*name, absl::StrCat("is not there, but has the alias ", Quoted(*alias)));
    }
  }
  return absl::OkStatus();
}

// Version 1 was for one specification alone, and does not name it.
absl::Status ReadSpecification(ByteReader& reader, CTranslate2Variables& out) {
  if (out.version < kFirstVersionWithSpecification) {
    out.specification = "TransformerBase";
    out.revision = 1;
    return absl::OkStatus();
  }
  absl::StatusOr<std::string> specification = ReadName(reader, "the model's specification");
  if (!specification.ok()) return specification.status();
  out.specification = *std::move(specification);
  const absl::StatusOr<uint32_t> revision = reader.Read<uint32_t>("the specification's revision");
  if (!revision.ok()) return revision.status();
  out.revision = *revision;
  return absl::OkStatus();
}

absl::Status CheckVersion(uint32_t version) {
  if (version >= kFirstVersion && version <= kLastVersion) return absl::OkStatus();
  return absl::UnimplementedError(
      absl::StrCat("is CTranslate2's format version ", version, "; Limpid reads ", kFirstVersion,
                   " to ", kLastVersion, ": convert the original model with ",
                   version < kFirstVersion ? "a newer" : "an older", " CTranslate2"));
}

}  // namespace

std::optional<CTranslate2Scalar> CTranslate2Variables::TakeScalar(std::string_view name) {
  const auto found = scalars.find(name);
  if (found == scalars.end()) return std::nullopt;
  const CTranslate2Scalar scalar = found->second;
  scalars.erase(found);
  return scalar;
}

std::string CTranslate2Variables::TakeText(std::string_view name, const char* otherwise) {
  const auto found = texts.find(name);
  if (found == texts.end()) return otherwise;
  std::string text = std::move(found->second);
  texts.erase(found);
  return text;
}

absl::StatusOr<CTranslate2Variables> ParseCTranslate2(absl::Span<const std::byte> bytes) {
  ByteReader reader(bytes);
  CTranslate2Variables out;
  const absl::StatusOr<uint32_t> version = reader.Read<uint32_t>("the format's version");
  if (!version.ok()) return version.status();
  out.version = *version;
  if (absl::Status status = CheckVersion(*version); !status.ok()) return status;
  if (absl::Status status = ReadSpecification(reader, out); !status.ok()) return status;

  absl::StatusOr<VariableMap> variables = ReadVariables(*version, out.revision, reader);
  if (!variables.ok()) return variables.status();
  absl::Status status = Interpreter(*std::move(variables)).Run(out);
  if (status.ok() && *version >= kFirstVersionWithAliases) status = ReadAliases(reader, out);
  if (status.ok() && reader.remaining() > 0) {
    status = absl::InvalidArgumentError(
        absl::StrCat("has ", reader.remaining(), " bytes after its end"));
  }
  if (!status.ok()) return status;
  return out;
}

}  // namespace limpid::internal

#include "models/formats/pickle.h"

#include <algorithm>
#include <bit>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "models/io/bytes.h"
#include "models/io/file.h"
#include "models/io/json.h"

namespace limpid::internal {
namespace {

constexpr uint8_t kProtocol = 2;  // torch.save's own, unless it is told otherwise

constexpr PickledStorageType kStorageTypes[] = {
    {"torch.FloatStorage", "float32", 4, DType::kFloat32},
    {"torch.HalfStorage", "float16", 2, DType::kFloat16},
    {"torch.BFloat16Storage", "bfloat16", 2, DType::kBFloat16},
    {"torch.DoubleStorage", "float64", 8, {}},
    {"torch.LongStorage", "int64", 8, {}},
    {"torch.IntStorage", "int32", 4, {}},
    {"torch.ShortStorage", "int16", 2, {}},
    {"torch.CharStorage", "int8", 1, {}},
    {"torch.ByteStorage", "uint8", 1, {}},
    {"torch.BoolStorage", "bool", 1, {}},
};

constexpr std::pair<std::string_view, PickledGlobal> kGlobals[] = {
    {"collections.OrderedDict", PickledGlobal::kOrderedDict},
    {"torch._utils._rebuild_tensor_v2", PickledGlobal::kRebuildTensor},
    {"torch._utils._rebuild_parameter", PickledGlobal::kRebuildParameter},
};

absl::Status Invalid(absl::string_view message) { return absl::InvalidArgumentError(message); }

// The stack machine. Each opcode is a function that takes its operands off the stack and pushes
// what it makes.
class Machine {
 public:
  explicit Machine(absl::Span<const std::byte> bytes) : in_(bytes) {}

  absl::StatusOr<Pickle> Run();

 private:
  absl::Status Step(uint8_t opcode);

  absl::Status CheckProtocol();
  absl::Status Push(PickledValue value);
  absl::Status PushId(PickleId id);
  template <typename T>
  absl::Status PushInt();
  absl::Status PushLong();
  absl::Status PushFloat();
  absl::Status PushText();
  absl::Status PushGlobal();
  absl::StatusOr<std::vector<PickleId>> Pop(size_t count);
  absl::StatusOr<std::vector<PickleId>> PopToMark();
  absl::Status Mark();
  absl::Status MakeTuple(absl::StatusOr<std::vector<PickleId>> items);
  absl::Status Append(absl::StatusOr<std::vector<PickleId>> items);
  absl::Status SetItems(absl::StatusOr<std::vector<PickleId>> items);
  template <typename T>
  absl::Status Put();
  template <typename T>
  absl::Status GetMemo();
  absl::Status LoadStorage();
  absl::Status SetAttributes();
  absl::Status Call();
  absl::Status RebuildTensor(const std::vector<PickleId>& arguments);

  template <typename T>
  T* Get(PickleId id) {
    return std::get_if<T>(&pickle_.values[id]);
  }
  // Sizes or strides: a tuple of whole numbers from 0 up.
  std::optional<std::vector<int64_t>> Sizes(PickleId id);

  ByteReader in_;
  Pickle pickle_;
  std::vector<PickleId> stack_;
  std::vector<size_t> marks_;  // sizes that the stack had
  // What may be pushed again, by number. Pickles number without gaps.
  std::vector<std::optional<PickleId>> memo_;
};

absl::StatusOr<Pickle> Machine::Run() {
  while (true) {
    const size_t place = in_.position();
    const absl::StatusOr<uint8_t> opcode = in_.Read<uint8_t>("an opcode");
    if (!opcode.ok()) return opcode.status();
    if (*opcode == '.') break;
    if (absl::Status status = Step(*opcode); !status.ok()) {
      return InContext(absl::StrCat("pickle, byte ", place), status);
    }
  }
  if (stack_.size() != 1 || !marks_.empty()) return Invalid("the pickle does not end in one value");
  pickle_.root = stack_[0];
  return std::move(pickle_);
}

absl::Status Machine::Step(uint8_t opcode) {
  switch (opcode) {
    case 0x80:
      return CheckProtocol();  // PROTO
    case 'N':
      return Push(PickledNone{});  // NONE
    case 0x88:
      return Push(true);  // NEWTRUE
    case 0x89:
      return Push(false);  // NEWFALSE
    case 'K':
      return PushInt<uint8_t>();  // BININT1
    case 'M':
      return PushInt<uint16_t>();  // BININT2
    case 'J':
      return PushInt<int32_t>();  // BININT
    case 0x8A:
      return PushLong();  // LONG1
    case 'G':
      return PushFloat();  // BINFLOAT
    case 'X':
      return PushText();  // BINUNICODE
    case '}':
      return Push(PickledDict{});  // EMPTY_DICT
    case ']':
      return Push(PickledList{});  // EMPTY_LIST
    case ')':
      return Push(PickledTuple{});  // EMPTY_TUPLE
    case '(':
      return Mark();  // MARK
    case 't':
      return MakeTuple(PopToMark());  // TUPLE
    case 0x85:
      return MakeTuple(Pop(1));  // TUPLE1
    case 0x86:
      return MakeTuple(Pop(2));  // TUPLE2
    case 0x87:
      return MakeTuple(Pop(3));  // TUPLE3
    case 'a':
      return Append(Pop(1));  // APPEND
    case 'e':
      return Append(PopToMark());  // APPENDS
    case 's':
      return SetItems(Pop(2));  // SETITEM
    case 'u':
      return SetItems(PopToMark());  // SETITEMS
    case 'q':
      return Put<uint8_t>();  // BINPUT
    case 'r':
      return Put<uint32_t>();  // LONG_BINPUT
    case 'h':
      return GetMemo<uint8_t>();  // BINGET
    case 'j':
      return GetMemo<uint32_t>();  // LONG_BINGET
    case 'c':
      return PushGlobal();  // GLOBAL
    case 'Q':
      return LoadStorage();  // BINPERSID
    case 'b':
      return SetAttributes();  // BUILD
    case 'R':
      return Call();  // REDUCE
    default:
      break;
  }
  return absl::UnimplementedError(absl::StrFormat(
      "the opcode 0x%02x does not occur in tensors and plain data that PyTorch writes", opcode));
}

absl::Status Machine::CheckProtocol() {
  const absl::StatusOr<uint8_t> protocol = in_.Read<uint8_t>("the protocol");
  if (!protocol.ok()) return protocol.status();
  if (*protocol == kProtocol) return absl::OkStatus();
  return absl::UnimplementedError(absl::StrCat("expected pickle protocol 2, torch.save's default, ",
                                               "found ", static_cast<int>(*protocol)));
}

absl::Status Machine::Push(PickledValue value) {
  if (pickle_.values.size() == kMaxPickledValues) {
    return Invalid(absl::StrCat("more than ", kMaxPickledValues, " values"));
  }
  pickle_.values.push_back(std::move(value));
  return PushId(static_cast<PickleId>(pickle_.values.size() - 1));
}

absl::Status Machine::PushId(PickleId id) {
  if (stack_.size() == kMaxPickledValues) {
    return Invalid(absl::StrCat("more than ", kMaxPickledValues, " values on the stack"));
  }
  stack_.push_back(id);
  return absl::OkStatus();
}

template <typename T>
absl::Status Machine::PushInt() {
  const absl::StatusOr<T> number = in_.Read<T>("a whole number");
  if (!number.ok()) return number.status();
  return Push(int64_t{*number});
}

// Little-endian two's complement of as many bytes as it says.
absl::Status Machine::PushLong() {
  const absl::StatusOr<uint8_t> size = in_.Read<uint8_t>("the length of a whole number");
  if (!size.ok()) return size.status();
  const auto bytes = in_.Take(*size, "a whole number");
  if (!bytes.ok()) return bytes.status();
  if (bytes->size() > sizeof(int64_t)) {
    return Invalid(
        absl::StrCat("expected a whole number below 2^63, found one of ", bytes->size(), " bytes"));
  }
  const bool negative = !bytes->empty() && (bytes->back() & std::byte{0x80}) != std::byte{0};
  int64_t number = negative ? -1 : 0;
  std::memcpy(&number, bytes->data(), bytes->size());
  return Push(number);
}

absl::Status Machine::PushFloat() {
  const auto bytes = in_.Take(sizeof(double), "a number");
  if (!bytes.ok()) return bytes.status();
  std::byte little_endian[sizeof(double)];
  std::reverse_copy(bytes->begin(), bytes->end(), little_endian);
  double number = 0;
  std::memcpy(&number, little_endian, sizeof(number));
  return Push(number);
}

absl::Status Machine::PushText() {
  const absl::StatusOr<uint32_t> size = in_.Read<uint32_t>("the length of a text");
  if (!size.ok()) return size.status();
  absl::StatusOr<std::string> text = in_.TakeText(*size, "a text");
  if (!text.ok()) return text.status();
  return Push(*std::move(text));
}

// A module and a name, each ending with a line break.
absl::Status Machine::PushGlobal() {
  constexpr size_t kLongestName = 1000;
  std::string name;
  for (int lines = 0; lines < 2;) {
    const absl::StatusOr<char> next = in_.Read<char>("a name");
    if (!next.ok()) return next.status();
    if (*next == '\n') {
      if (lines++ == 0) name.push_back('.');
    } else {
      name.push_back(*next);
    }
    if (name.size() > kLongestName) return Invalid("a name that does not end");
  }
  for (const PickledStorageType& type : kStorageTypes) {
    if (type.name == name) return Push(&type);
  }
  for (const auto& [known, global] : kGlobals) {
    if (known == name) return Push(global);
  }
  return absl::UnimplementedError(absl::StrCat(
      "refers to ", Quoted(name), ", which is neither a tensor nor plain data, and is not run; ",
      "save the weights alone: torch.save(model.state_dict(), path)"));
}

absl::StatusOr<std::vector<PickleId>> Machine::Pop(size_t count) {
  const size_t floor = marks_.empty() ? 0 : marks_.back();
  if (stack_.size() - floor < count) return Invalid("takes more from the stack than there is");
  const auto begin = stack_.end() - static_cast<ptrdiff_t>(count);
  std::vector<PickleId> popped(begin, stack_.end());
  stack_.erase(begin, stack_.end());
  return popped;
}

absl::StatusOr<std::vector<PickleId>> Machine::PopToMark() {
  if (marks_.empty()) return Invalid("pops to a mark that does not exist");
  absl::StatusOr<std::vector<PickleId>> popped = Pop(stack_.size() - marks_.back());
  marks_.pop_back();
  return popped;
}

absl::Status Machine::Mark() {
  if (marks_.size() == kMaxPickledValues) return Invalid("too many marks");
  marks_.push_back(stack_.size());
  return absl::OkStatus();
}

absl::Status Machine::MakeTuple(absl::StatusOr<std::vector<PickleId>> items) {
  if (!items.ok()) return items.status();
  return Push(PickledTuple{*std::move(items)});
}

absl::Status Machine::Append(absl::StatusOr<std::vector<PickleId>> items) {
  const auto target = items.ok() ? Pop(1) : items;
  if (!target.ok()) return target.status();
  auto* list = Get<PickledList>(target->front());
  if (list == nullptr) return Invalid("appends to a value that is not a list");
  list->items.insert(list->items.end(), items->begin(), items->end());
  return PushId(target->front());
}

absl::Status Machine::SetItems(absl::StatusOr<std::vector<PickleId>> items) {
  const auto target = items.ok() ? Pop(1) : items;
  if (!target.ok()) return target.status();
  auto* dict = Get<PickledDict>(target->front());
  if (dict == nullptr) return Invalid("sets items of a value that is not a dict");
  if (items->size() % 2 != 0) return Invalid("sets a key without a value");
  for (size_t i = 0; i < items->size(); i += 2) {
    dict->items.emplace_back((*items)[i], (*items)[i + 1]);
  }
  return PushId(target->front());
}

template <typename T>
absl::Status Machine::Put() {
  const absl::StatusOr<T> number = in_.Read<T>("the number of a memo");
  if (!number.ok()) return number.status();
  if (*number >= kMaxPickledValues) return Invalid(absl::StrCat("a memo with number ", *number));
  if (stack_.empty()) return Invalid("a memo of an empty stack");
  if (*number >= memo_.size()) memo_.resize(size_t{*number} + 1);
  memo_[*number] = stack_.back();
  return absl::OkStatus();
}

template <typename T>
absl::Status Machine::GetMemo() {
  const absl::StatusOr<T> number = in_.Read<T>("the number of a memo");
  if (!number.ok()) return number.status();
  if (*number >= memo_.size() || !memo_[*number].has_value()) {
    return Invalid(absl::StrCat("there is no memo ", *number));
  }
  return PushId(*memo_[*number]);
}

// ("storage", type, key, device, elements).
absl::Status Machine::LoadStorage() {
  constexpr size_t kLongestKey = 100;  // they are numbers; each tensor gets a copy
  const auto popped = Pop(1);
  if (!popped.ok()) return popped.status();
  const auto* fields = Get<PickledTuple>(popped->front());
  if (fields == nullptr || fields->items.size() != 5) {
    return Invalid("expected the five fields of a storage");
  }
  const auto* word = Get<std::string>(fields->items[0]);
  const auto* type = Get<const PickledStorageType*>(fields->items[1]);
  const auto* key = Get<std::string>(fields->items[2]);
  const auto* elements = Get<int64_t>(fields->items[4]);
  if (word == nullptr || *word != "storage" || type == nullptr || key == nullptr ||
      key->size() > kLongestKey || elements == nullptr || *elements < 0) {
    return Invalid("expected a storage: its type, key, device and number of elements");
  }
  return Push(PickledStorage{*key, *type, *elements});
}

// Attributes that Python would give to the dict (such as the `_metadata` of a state_dict) are
// dropped.
absl::Status Machine::SetAttributes() {
  const auto operands = Pop(2);
  if (!operands.ok()) return operands.status();
  if (Get<PickledDict>(operands->front()) == nullptr) {
    return Invalid("sets attributes of a value that is not a dict");
  }
  return PushId(operands->front());
}

absl::Status Machine::Call() {
  const auto operands = Pop(2);
  if (!operands.ok()) return operands.status();
  const auto* global = Get<PickledGlobal>(operands->front());
  const auto* arguments = Get<PickledTuple>(operands->back());
  if (global == nullptr || arguments == nullptr) {
    return Invalid("calls a value that is not a function, or without arguments");
  }
  switch (*global) {
    case PickledGlobal::kOrderedDict:
      if (arguments->items.empty()) return Push(PickledDict{});
      return absl::UnimplementedError("an OrderedDict with arguments");
    case PickledGlobal::kRebuildTensor:
      return RebuildTensor(arguments->items);
    case PickledGlobal::kRebuildParameter:  // (tensor, requires_grad, hooks)
      if (arguments->items.empty() || Get<PickledTensor>(arguments->items[0]) == nullptr) {
        return Invalid("a parameter without a tensor");
      }
      return PushId(arguments->items[0]);
  }
  return absl::OkStatus();
}

// (storage, offset, shape, strides, requires_grad, hooks), the last two of no matter here.
absl::Status Machine::RebuildTensor(const std::vector<PickleId>& arguments) {
  if (arguments.size() < 4) return Invalid("a tensor without storage, offset, shape or strides");
  const auto* storage = Get<PickledStorage>(arguments[0]);
  const auto* offset = Get<int64_t>(arguments[1]);
  std::optional<std::vector<int64_t>> shape = Sizes(arguments[2]);
  std::optional<std::vector<int64_t>> strides = Sizes(arguments[3]);
  if (storage == nullptr || offset == nullptr || *offset < 0 || !shape || !strides ||
      shape->size() != strides->size()) {
    return Invalid("expected a tensor: its storage, offset, shape and as many strides");
  }
  return Push(PickledTensor{*storage, *offset, *std::move(shape), *std::move(strides)});
}

std::optional<std::vector<int64_t>> Machine::Sizes(PickleId id) {
  constexpr size_t kMaxDimensions = 8;
  const auto* tuple = Get<PickledTuple>(id);
  if (tuple == nullptr || tuple->items.size() > kMaxDimensions) return std::nullopt;
  std::vector<int64_t> sizes;
  for (PickleId item : tuple->items) {
    const auto* size = Get<int64_t>(item);
    if (size == nullptr || *size < 0) return std::nullopt;
    sizes.push_back(*size);
  }
  return sizes;
}

}  // namespace

absl::StatusOr<Pickle> ParsePickle(absl::Span<const std::byte> bytes) {
  return Machine(bytes).Run();
}

}  // namespace limpid::internal

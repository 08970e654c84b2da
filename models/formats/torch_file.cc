#include "models/formats/torch_file.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <map>
#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "models/formats/pickle.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/io/zip.h"

namespace limpid::internal {
namespace {

using Bytes = absl::Span<const std::byte>;

// Files of PyTorch before 1.6 begin with the pickle of 0x1950a86a20f9469cfc6c.
constexpr std::string_view kLegacyBegins(
    "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.", 15);
constexpr char kPickleName[] = "/data.pkl";

using Storages = std::map<std::string, Bytes>;  // by key

absl::Status Invalid(absl::string_view message) { return absl::InvalidArgumentError(message); }

// --- From the pickle to tensors ---

bool HasTensors(const Pickle& pickle, const PickledDict& dict) {
  return std::any_of(dict.items.begin(), dict.items.end(), [&](const auto& item) {
    return pickle.Get<PickledTensor>(item.second) != nullptr;
  });
}

// The dict that has the tensors. Training scripts save it among other things. Each candidate is
// looked through once: a dict may have another one under any number of keys.
absl::StatusOr<const PickledDict*> FindState(const Pickle& pickle) {
  const auto* root = pickle.Get<PickledDict>(pickle.root);
  if (root != nullptr && HasTensors(pickle, *root)) return root;
  for (const char* name : {"model_state_dict", "state_dict", "model"}) {
    const PickledDict* dict = nullptr;
    for (size_t i = 0; root != nullptr && i < root->items.size(); ++i) {
      const auto* key = pickle.Get<std::string>(root->items[i].first);
      if (key != nullptr && *key == name) dict = pickle.Get<PickledDict>(root->items[i].second);
    }
    if (dict != nullptr && HasTensors(pickle, *dict)) return dict;
  }
  return Invalid(
      "holds no dict of tensors, neither by itself nor in a dict under \"model_state_dict\", "
      "\"state_dict\" or \"model\"; save one with torch.save(model.state_dict(), path)");
}

// Returns 1 + the index of the last storage element that a tensor covers; nothing on overflow, or
// if the tensor has more elements than it covers and so could be larger than its storage.
std::optional<int64_t> Extent(const PickledTensor& tensor) {
  int64_t elements = 1;
  int64_t last = tensor.offset;
  bool overflow = false;
  for (size_t i = 0; i < tensor.shape.size(); ++i) {
    int64_t step = 0;
    overflow |= __builtin_mul_overflow(elements, tensor.shape[i], &elements);
    overflow |=
        __builtin_mul_overflow(std::max<int64_t>(tensor.shape[i] - 1, 0), tensor.strides[i], &step);
    overflow |= __builtin_add_overflow(last, step, &last);
  }
  if (overflow || last == INT64_MAX) return std::nullopt;
  if (elements == 0) return tensor.offset;
  return elements > last + 1 - tensor.offset ? std::nullopt : std::optional(last + 1);
}

// The strides that numbers have that lie one after the other.
bool IsRowMajor(const PickledTensor& tensor) {
  int64_t stride = 1;
  for (size_t i = tensor.shape.size(); i-- > 0;) {
    if (tensor.shape[i] != 1 && tensor.strides[i] != stride) return false;
    stride *= tensor.shape[i];
  }
  return true;
}

// Copies the elements that a tensor with strides refers to, in row-major order.
std::vector<std::byte> Gather(const PickledTensor& tensor, const TensorView& view,
                              const std::byte* first) {
  const size_t width = SizeOf(view.dtype);
  std::vector<std::byte> gathered(view.bytes());
  std::vector<int64_t> index(tensor.shape.size());
  for (size_t at = 0; at < gathered.size(); at += width) {
    int64_t element = 0;
    for (size_t i = 0; i < index.size(); ++i) element += index[i] * tensor.strides[i];
    std::memcpy(&gathered[at], first + static_cast<size_t>(element) * width, width);
    for (size_t i = index.size(); i-- > 0 && ++index[i] == tensor.shape[i];) index[i] = 0;
  }
  return gathered;
}

// `bytes`: of the tensor's storage. They outlive the view, as what goes to `owners` does.
absl::StatusOr<TensorView> ViewOf(const PickledTensor& tensor, Bytes bytes,
                                  std::vector<std::shared_ptr<const void>>& owners) {
  const PickledStorageType& type = *tensor.storage.type;
  const size_t elements = bytes.size() / type.element_size;
  const std::optional<int64_t> extent = Extent(tensor);
  if (!extent || static_cast<uint64_t>(*extent) > elements) {
    return Invalid(absl::StrCat("of shape ", ShapeName(tensor.shape), " with strides ",
                                ShapeName(tensor.strides), " from element ", tensor.offset,
                                " on does not lie in its storage of ", elements,
                                " elements, or has some of them twice"));
  }
  TensorView view = {.dtype = *type.dtype, .shape = tensor.shape, .data = bytes.data()};
  view.data += static_cast<size_t>(tensor.offset) * type.element_size;
  const bool aligned = reinterpret_cast<uintptr_t>(view.data) % type.element_size == 0;
  if (IsRowMajor(tensor) && aligned) return view;
  auto copy = std::make_shared<std::vector<std::byte>>(Gather(tensor, view, view.data));
  view.data = copy->data();
  owners.push_back(std::move(copy));
  return view;
}

// The tensors of the state that may be weights.
absl::StatusOr<std::map<std::string, const PickledTensor*>> FindTensors(const Pickle& pickle) {
  constexpr size_t kLongestName = 1000;  // any number of entries may share one, to be compared
  const auto state = FindState(pickle);
  if (!state.ok()) return state.status();
  std::map<std::string, const PickledTensor*> tensors;
  for (const auto& [key, value] : (*state)->items) {
    const auto* name = pickle.Get<std::string>(key);
    const auto* tensor = pickle.Get<PickledTensor>(value);
    if (name == nullptr || tensor == nullptr) continue;
    if (name->size() > kLongestName) {
      return Invalid(absl::StrCat("tensor ", Quoted(*name), " has a name of ", name->size(),
                                  " bytes; expected at most ", kLongestName));
    }
    const PickledStorageType& type = *tensor->storage.type;
    if (type.dtype_name == "float64") {
      return absl::UnimplementedError(absl::StrCat(
          "tensor ", Quoted(*name), " is float64; save the model in float32: model.float()"));
    }
    if (type.dtype.has_value()) tensors[*name] = tensor;  // as in Python, the last of a name counts
  }
  return tensors;
}

absl::Status AddTensors(const std::map<std::string, const PickledTensor*>& tensors,
                        const Storages& storages, TorchFile& file) {
  // Any number of tensors may lie in one storage, each of them to be copied for its strides.
  constexpr size_t kMaxOverlaps = 4;
  size_t in_tensors = 0;
  size_t in_storages = 0;
  for (const auto& [key, bytes] : storages) in_storages += bytes.size();
  for (const auto& [name, tensor] : tensors) {
    const std::string what = absl::StrCat("tensor ", Quoted(name));
    const auto bytes = storages.find(tensor->storage.key);
    if (bytes == storages.end()) {
      return Invalid(
          absl::StrCat(what, " is in storage ", Quoted(tensor->storage.key), ", which is missing"));
    }
    absl::StatusOr<TensorView> view = ViewOf(*tensor, bytes->second, file.storage);
    if (!view.ok()) return InContext(what, view.status());
    in_tensors += view->bytes();
    if (in_tensors / kMaxOverlaps > in_storages) {
      return Invalid(absl::StrCat("has tensors that take more than ", kMaxOverlaps,
                                  " times the bytes of their storages"));
    }
    file.tensors[name] = *std::move(view);
  }
  return absl::OkStatus();
}

// --- The archive: NAME/data.pkl, NAME/byteorder and NAME/data/KEY ---

absl::StatusOr<std::string> FindFolder(const ZipReader& zip) {
  for (const std::string& name : zip.names()) {
    if (absl::EndsWith(name, kPickleName) && name.find('/') == name.size() - strlen(kPickleName)) {
      return name.substr(0, name.find('/'));
    }
  }
  return Invalid("is a zip archive, but none of PyTorch's: it has no FOLDER/data.pkl");
}

absl::Status ReadStorages(const std::map<std::string, const PickledTensor*>& tensors,
                          const std::string& folder, ZipReader& zip, Storages& storages,
                          TorchFile& file) {
  for (const auto& [name, tensor] : tensors) {
    const std::string& key = tensor->storage.key;
    if (storages.count(key) != 0) continue;
    auto data = zip.Read(absl::StrCat(folder, "/data/", key));
    if (!data.ok()) return data.status();
    auto owner = std::make_shared<std::vector<std::byte>>(*std::move(data));
    storages[key] = *owner;
    file.storage.push_back(std::move(owner));
  }
  return absl::OkStatus();
}

absl::Status ReadZip(const std::string& path, TorchFile& file) {
  const auto zip = ZipReader::Open(path);
  if (!zip.ok()) return zip.status();
  const absl::StatusOr<std::string> folder = FindFolder(**zip);
  if (!folder.ok()) return InContext(path, folder.status());
  const auto byte_order = (*zip)->Read(*folder + "/byteorder");
  if (byte_order.ok() && byte_order->size() == strlen("big")) {
    return absl::UnimplementedError(
        absl::StrCat(path, ": was saved on a big-endian machine; save it on another"));
  }
  const auto text = (*zip)->Read(*folder + kPickleName);
  if (!text.ok()) return text.status();
  const absl::StatusOr<Pickle> pickle = ParsePickle(*text);
  if (!pickle.ok()) return InContext(path, pickle.status());
  const auto tensors = FindTensors(*pickle);
  if (!tensors.ok()) return InContext(path, tensors.status());
  Storages storages;
  absl::Status status = ReadStorages(*tensors, *folder, **zip, storages, file);
  if (!status.ok()) return status;
  return InContext(path, AddTensors(*tensors, storages, file));
}

}  // namespace

absl::StatusOr<TorchFile> ReadTorchFile(const std::string& path) {
  const auto mapped = MappedFile::Open(path);
  if (!mapped.ok()) return mapped.status();
  if ((*mapped)->text().starts_with(kLegacyBegins)) {
    return absl::UnimplementedError(absl::StrCat(
        path, ": is in the format of PyTorch before 1.6; save it anew with a newer ",
        "PyTorch: torch.save(torch.load(path, map_location=\"cpu\"), path); or look for a "
        "revision of the model that has model.safetensors"));
  }
  TorchFile file;
  if (absl::Status status = ReadZip(path, file); !status.ok()) return status;
  return file;
}

}  // namespace limpid::internal

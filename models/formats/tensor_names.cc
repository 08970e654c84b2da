#include "models/formats/tensor_names.h"

#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "models/io/file.h"
#include "models/io/json.h"
#include "models/model/convert_tensor.h"
#include "models/model/weights.h"

namespace limpid::internal {
namespace {

// A row for one side, layer and part.
struct Expanded {
  size_t row;  // in the table
  std::string theirs;
  std::vector<std::string> ours;  // several: their rows are split
  How how;
};

bool IsVector(std::string_view ours) { return ours.ends_with(".bias") || ours.ends_with(".scale"); }

// "a.{b,c}.d" as "a.b.d" and "a.c.d".
std::vector<std::string> SplitBraces(const std::string& ours) {
  const size_t open = ours.find('{');
  const size_t close = ours.find('}');
  if (open == std::string::npos) return {ours};
  std::vector<std::string> names;
  for (absl::string_view part : absl::StrSplit(ours.substr(open + 1, close - open - 1), ',')) {
    names.push_back(absl::StrCat(ours.substr(0, open), part, ours.substr(close + 1)));
  }
  return names;
}

class Expander {
 public:
  Expander(const TensorNames& names, const ModelConfig& config) : names_(names), config_(config) {}

  std::vector<Expanded> Expand() {
    for (row_ = 0; row_ < names_.table.size(); ++row_) {
      const TensorName& name = names_.table[row_];
      const bool both =
          absl::StrContains(name.theirs, "SIDE") || absl::StrContains(name.ours, "SIDE");
      if (!both) {
        ExpandLayers(absl::StartsWith(name.ours, "decoder") ? "decoder" : "encoder");
        continue;
      }
      for (const char* side : {"encoder", "decoder"}) ExpandLayers(side);
    }
    return std::move(expanded_);
  }

 private:
  void ExpandLayers(const std::string& side) {
    const TensorName& name = names_.table[row_];
    std::vector<std::pair<std::string, std::string>> words = names_.words;
    words.emplace_back("SIDE", side);
    if (!absl::StrContains(name.ours, ".N.")) return ExpandParts(words, 0);
    const bool decoder = side == "decoder";
    const int layers = decoder ? config_.decoder_layers : config_.encoder_layers;
    words.emplace_back("N", "");
    for (int layer = 0; layer < layers; ++layer) {
      const bool own = !decoder || names_.decoder_layers.empty();
      words.back().second =
          absl::StrCat(own ? layer + names_.first_layer : names_.decoder_layers[layer]);
      ExpandParts(words, layer);
    }
  }

  void ExpandParts(const std::vector<std::pair<std::string, std::string>>& words, int layer) {
    const TensorName& name = names_.table[row_];
    const std::string theirs = absl::StrReplaceAll(name.theirs, words);
    const std::string ours = absl::StrReplaceAll(
        name.ours,
        {{"SIDE", words[names_.words.size()].second}, {".N.", absl::StrCat(".", layer, ".")}});
    if (!absl::StrContains(ours, "*")) {
      if (!theirs.empty() || name.how == How::kOrZeros) Add(theirs, ours, name.how);
      return;
    }
    const bool norm = absl::EndsWith(ours, "norm.*");
    for (const bool is_bias : {false, true}) {
      const std::string_view part = is_bias ? (norm ? names_.norm_bias : names_.bias)
                                            : (norm ? names_.norm_scale : names_.weight);
      const How how = !is_bias && name.how == How::kOrZeros ? How::kAsIs : name.how;
      Add(absl::StrReplaceAll(theirs, {{"*", absl::string_view(part.data(), part.size())}}),
          absl::StrReplaceAll(ours, {{"*", is_bias ? "bias"
                                           : norm  ? "scale"
                                                   : "weight"}}),
          how);
    }
  }

  void Add(std::string theirs, const std::string& ours, How how) {
    expanded_.push_back({row_, std::move(theirs), SplitBraces(ours), how});
  }

  const TensorNames& names_;
  const ModelConfig& config_;
  size_t row_ = 0;
  std::vector<Expanded> expanded_;
};

TensorView Transposed(const TensorView& tensor, std::vector<std::shared_ptr<const void>>& storage) {
  const auto rows = static_cast<size_t>(tensor.shape[0]);
  const auto columns = static_cast<size_t>(tensor.shape[1]);
  auto transposed = std::make_shared<std::vector<float>>(rows * columns);
  std::vector<float> from(columns);
  for (size_t row = 0; row < rows; ++row) {
    ReadRow(tensor, static_cast<int64_t>(row), from.data());
    for (size_t column = 0; column < columns; ++column) {
      (*transposed)[column * rows + row] = from[column];
    }
  }
  TensorView view = {.dtype = DType::kFloat32,
                     .shape = {tensor.shape[1], tensor.shape[0]},
                     .data = reinterpret_cast<const std::byte*>(transposed->data())};
  storage.push_back(std::move(transposed));
  return view;
}

// The first error stays in `status`.
class Renamer {
 public:
  Renamer(const ModelConfig& config, TensorMap theirs,
          std::vector<std::shared_ptr<const void>>& storage)
      : shapes_(TensorShapes(config)), theirs_(std::move(theirs)), storage_(storage) {}

  void Rename(const std::vector<Expanded>& rows) {
    std::vector<const Expanded*> absent;
    for (const Expanded& row : rows) {
      if (!status.ok()) return;
      if (row.how == How::kSkip) {
        if (theirs_.contains(row.theirs)) taken_by_.try_emplace(row.theirs, row.row);
        continue;
      }
      if (!shapes_.contains(row.ours.front())) continue;
      if (!Take(row)) absent.push_back(&row);
    }
    for (const Expanded* row : absent) {
      for (const std::string& ours : row->ours) {
        if (!status.ok() || to.contains(ours)) continue;
        if (row->how == How::kOrZeros) {
          to[ours] = Zeros(shapes_.at(ours));
        } else {
          Fail(absl::StrCat("tensor ", Quoted(row->theirs), " is missing"));
        }
      }
    }
  }

  void RefuseLeftovers(const char* model) {
    for (const auto& [name, tensor] : theirs_) {
      if (taken_by_.contains(name)) continue;
      return Fail(absl::StrCat("tensor ", Quoted(name), " is not part of ", model));
    }
  }

  absl::Status status;
  TensorMap to;

 private:
  // Returns false if there is none, or another row has it.
  bool Take(const Expanded& row) {
    const auto found = theirs_.find(row.theirs);
    if (found == theirs_.end()) return false;
    const auto [taken, is_first] = taken_by_.try_emplace(row.theirs, row.row);
    if (taken->second != row.row) return false;
    TensorView& tensor = found->second;
    if (is_first) Prepare(row, tensor);
    if (!status.ok()) return true;
    if (row.ours.size() == 1) {
      Put(row.theirs, row.ours.front(), tensor);
      return true;
    }
    const int64_t rows = shapes_.at(row.ours.front()).front();
    const auto count = static_cast<int64_t>(row.ours.size());
    if (tensor.shape.empty() || tensor.rows() != count * rows) {
      Fail(absl::StrCat("tensor ", Quoted(row.theirs), " has shape ", ShapeName(tensor.shape),
                        "; expected ", count * rows, " rows"));
      return true;
    }
    for (int64_t i = 0; i < count; ++i) {
      Put(row.theirs, row.ours[i], Rows(tensor, i * rows, rows));
    }
    return true;
  }

  // Transposes a matrix, flattens a vector [1, size].
  void Prepare(const Expanded& row, TensorView& tensor) {
    if (IsVector(row.ours.front())) {
      if (tensor.shape.size() == 2 && tensor.shape[0] == 1) Reshape({tensor.shape[1]}, tensor);
      if (tensor.shape.size() > 1) return;  // BindWeights refuses it
      status = InContext(absl::StrCat("tensor ", Quoted(row.theirs)),
                         ConvertTensor(DType::kFloat32, tensor, storage_));
    } else if (row.how == How::kTransposed && tensor.shape.size() != 2) {
      Fail(absl::StrCat("tensor ", Quoted(row.theirs), ": expected a matrix, found shape ",
                        ShapeName(tensor.shape)));
    } else if (row.how == How::kTransposed && tensor.dtype != DType::kInt8) {
      tensor = Transposed(tensor, storage_);
    }
  }

  void Put(const std::string& theirs, const std::string& ours, const TensorView& tensor) {
    const auto [place, is_new] = to.emplace(ours, tensor);
    const auto first = first_.try_emplace(ours, theirs).first;
    if (is_new || Same(place->second, tensor)) return;
    Fail(absl::StrCat("tensors ", Quoted(first->second), " and ", Quoted(theirs),
                      " differ, though the config says that they are one tensor"));
  }

  // All share one vector, as long as the longest so far.
  TensorView Zeros(const std::vector<int64_t>& shape) {
    const auto size = static_cast<size_t>(shape.front());
    if (zeros_ == nullptr || zeros_->size() < size) {
      zeros_ = std::make_shared<std::vector<float>>(size);
      storage_.push_back(zeros_);
    }
    return {.dtype = DType::kFloat32,
            .shape = shape,
            .data = reinterpret_cast<const std::byte*>(zeros_->data())};
  }

  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(message);
  }

  const std::map<std::string, std::vector<int64_t>> shapes_;  // of what the config asks for
  TensorMap theirs_;
  std::vector<std::shared_ptr<const void>>& storage_;
  std::map<std::string, size_t> taken_by_;    // row of the table, by their name
  std::map<std::string, std::string> first_;  // the first of their names, by ours
  std::shared_ptr<std::vector<float>> zeros_;
};

}  // namespace

absl::StatusOr<TensorMap> RenameTensors(const TensorNames& names, const ModelConfig& config,
                                        TensorMap theirs,
                                        std::vector<std::shared_ptr<const void>>& storage) {
  Renamer renamer(config, std::move(theirs), storage);
  renamer.Rename(Expander(names, config).Expand());
  renamer.RefuseLeftovers(names.model);
  if (!renamer.status.ok()) return renamer.status;
  return std::move(renamer.to);
}

std::map<std::string, std::string> TheirNames(const TensorNames& names, const ModelConfig& config) {
  const std::map<std::string, std::vector<int64_t>> shapes = TensorShapes(config);
  std::map<std::string, std::string> theirs;
  for (const Expanded& row : Expander(names, config).Expand()) {
    if (shapes.contains(row.ours.front())) theirs.try_emplace(row.ours.front(), row.theirs);
  }
  return theirs;
}

}  // namespace limpid::internal

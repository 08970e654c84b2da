// Moves tensors from another program's names to Limpid's, so that what is missing and what is left
// over comes to light.

#ifndef LIMPID_MODELS_FORMATS_TENSOR_RENAMER_H_
#define LIMPID_MODELS_FORMATS_TENSOR_RENAMER_H_

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "models/io/json.h"
#include "models/model/tensor.h"

namespace limpid::internal {

// The first thing wrong stays in `status`, and then nothing moves any more.
class TensorRenamer {
 public:
  explicit TensorRenamer(TensorMap from) : from_(std::move(from)) {}

  void Move(const std::string& theirs, const std::string& ours) { MoveShared({theirs}, ours); }

  // Moves a tensor that may have been saved under one or more of several names.
  void MoveShared(const std::vector<std::string>& theirs, const std::string& ours) {
    if (!status.ok()) return;
    TensorMap::node_type first;
    for (const std::string& name : theirs) {
      TensorMap::node_type node = from_.extract(name);
      if (node.empty()) continue;
      if (first.empty()) {
        first = std::move(node);
      } else if (!Same(first.mapped(), node.mapped())) {
        Fail(absl::StrCat("tensors ", Quoted(first.key()), " and ", Quoted(name),
                          " differ, though config.json says that they are one"));
        return;
      }
    }
    if (first.empty()) {
      Fail(absl::StrCat("tensor ", Quoted(theirs.front()), " is missing"));
      return;
    }
    first.key() = ours;
    to.insert(std::move(first));
  }

  void Linear(const std::string& theirs, const std::string& ours) {
    Move(theirs + ".weight", ours + ".weight");
    Move(theirs + ".bias", ours + ".bias");
  }

  void Norm(const std::string& theirs, const std::string& ours) {
    Move(theirs + ".weight", ours + ".scale");
    Move(theirs + ".bias", ours + ".bias");
  }

  void Add(const std::string& theirs, const TensorView& tensor) { from_[theirs] = tensor; }
  bool Has(std::string_view theirs) const { return from_.find(theirs) != from_.end(); }
  const TensorView& Get(std::string_view theirs) const { return from_.find(theirs)->second; }
  void Drop(std::string_view theirs) { from_.erase(from_.find(theirs)); }

  // `model`: what they are no tensors of, in words.
  void RefuseLeftovers(const std::string& model) {
    if (!status.ok() || from_.empty()) return;
    Fail(absl::StrCat("tensor ", Quoted(from_.begin()->first), " is none that Limpid knows of ",
                      model));
  }

  absl::Status status;
  TensorMap to;

 protected:
  void Fail(const std::string& message) {
    if (status.ok()) status = absl::InvalidArgumentError(message);
  }

 private:
  TensorMap from_;
};

}  // namespace limpid::internal

#endif  // LIMPID_MODELS_FORMATS_TENSOR_RENAMER_H_

#include "tools/alignment_flags.h"

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"

namespace limpid {
namespace {

constexpr int kMaxLayers = 1024;
constexpr int kMaxHeads = 1 << 20;

}  // namespace

void AddAlignmentFlags(AlignmentFlags* values, Flags* flags) {
  flags->Add(
      "measure=weight|norm|leave_one_out", &values->measure,
      "What a share is a share of: attention weights (weight); the size of what a word adds "
      "to the decoder's state, so that one with a small value vector counts little (norm); "
      "or how much less probable the output word is where the source is read without the word "
      "(leave_one_out; slow: a run a word; layer, head and row have no say in it).");
  flags->Add("row=output|input", &values->row,
             "The row of attention that speaks for a word: the one that predicts it (output), or "
             "the next, in which it is the decoder's input (input). Default: the model's best.");
  flags->Add("layer=N", &values->layer, {-1, kMaxLayers},
             "The decoder layer to look at, from 0; -1: the model's best, or else the last but "
             "one.");
  flags->Add("head=N", &values->head, {-1, kMaxHeads},
             "The head to look at, from 0; -1: the model's best, or else the mean of all.");
}

absl::StatusOr<AlignmentOptions> ReadAlignmentFlags(const AlignmentFlags& values) {
  AlignmentOptions options;
  options.layer = values.layer;
  if (values.head >= 0) options.heads = {values.head};
  if (values.row == "output") {
    options.row = AlignmentRow::kOutput;
  } else if (values.row == "input") {
    options.row = AlignmentRow::kInput;
  } else if (!values.row.empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("--row must be output or input, not '", values.row, "'"));
  }
  if (values.measure == "norm") {
    options.measure = AlignmentMeasure::kNorm;
  } else if (values.measure == "leave_one_out") {
    options.measure = AlignmentMeasure::kLeaveOneOut;
  } else if (values.measure != "weight") {
    return absl::InvalidArgumentError(absl::StrCat(
        "--measure must be weight, norm or leave_one_out, not '", values.measure, "'"));
  }
  return options;
}

absl::StatusOr<LinkRule> ReadLinkRule(const std::string& text) {
  if (text == "mutual") return LinkRule::kMutual;
  if (text == "each") return LinkRule::kEach;
  return absl::InvalidArgumentError(
      absl::StrCat("--links must be mutual or each, not '", text, "'"));
}

}  // namespace limpid

#include "tools/alignment_flags.h"

namespace limpid::internal {

void AddRowAndMeasureFlags(std::optional<AlignmentRow>* row, AlignmentMeasure* measure,
                           Flags* flags) {
  flags->Add("row=output|input", row,
             {{"output", AlignmentRow::kOutput}, {"input", AlignmentRow::kInput}},
             "Which decoder step to use for a target word: the one that predicts it (output), or "
             "the next, which has it as input (input). Without --layer, --head and --row: what "
             "aligns best in this model.");
  flags->Add("measure=KIND", measure,
             {{"weight", AlignmentMeasure::kWeight},
              {"norm", AlignmentMeasure::kNorm},
              {"occlusion", AlignmentMeasure::kOcclusion}},
             "How to measure the influence of a source word. weight: attention weight. norm: the "
             "norm of its weighted value vector. occlusion: the drop in the target word's "
             "log-probability without it (slow; ignores --layer, --head and --row).");
}

}  // namespace limpid::internal

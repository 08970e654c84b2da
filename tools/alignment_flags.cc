#include "tools/alignment_flags.h"

namespace limpid::internal {

void AddRowAndMeasureFlags(std::optional<AlignmentRow>* row, AlignmentMeasure* measure,
                           Flags* flags) {
  flags->Add("row=output|input", row,
             {{"output", AlignmentRow::kOutput}, {"input", AlignmentRow::kInput}},
             "The row of the decoder's attention that speaks for a word: the one that predicts it "
             "(output), or the next, in which it is the decoder's input (input). If nothing is "
             "said of layer, head and row: what aligns best in this model.");
  flags->Add("measure=KIND", measure,
             {{"weight", AlignmentMeasure::kWeight},
              {"norm", AlignmentMeasure::kNorm},
              {"occlusion", AlignmentMeasure::kOcclusion}},
             "What the shares of words are shares of. weight: attention. norm: the size of what a "
             "word adds to the decoder's state, so that one with a small value vector counts "
             "little. occlusion: how much less probable the output word is where the source is "
             "read without the word (slow; layer, head and row have no say in it).");
}

}  // namespace limpid::internal

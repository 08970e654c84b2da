#include "engine/model.h"

#include <memory>

#include "gtest/gtest.h"
#include "models/formats/formats.h"

namespace limpid::internal {
namespace {

std::unique_ptr<Model> Make(const TranslatorOptions& options, bool with_shortlist = true) {
  const auto read = [&] {
    absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint("models/eng-deu");
    if (checkpoint.ok() && !with_shortlist) checkpoint->shortlist.clear();
    return checkpoint;
  };
  return *MakeModel(read, options);
}

bool HasFastPacking(const Model& model) {
  return model.transformer.output().packing().allocate != nullptr;
}

TEST(ModelTest, PlainHasNothingThatIsOnlyFaster) {
  const std::unique_ptr<Model> plain = Make({.plain = true});
  EXPECT_FALSE(plain->fast_output.has_value());
  EXPECT_FALSE(HasFastPacking(*plain));
  const std::unique_ptr<Model> fast = Make({});
  EXPECT_TRUE(fast->fast_output.has_value());
  EXPECT_TRUE(HasFastPacking(*fast));
}

TEST(ModelTest, AShortlistThatDoesNotRestrictDrafts) {
  EXPECT_TRUE(Make({})->fast_output->has_drafts());
  EXPECT_FALSE(Make({.shortlist = true})->fast_output->has_drafts());
  EXPECT_FALSE(Make({}, /*with_shortlist=*/false)->fast_output->has_drafts());
}

}  // namespace
}  // namespace limpid::internal

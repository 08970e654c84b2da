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

TEST(ModelTest, PlainHasNothingThatIsOnlyFaster) {
  EXPECT_FALSE(Make({.plain = true})->fast_output.has_value());
  EXPECT_TRUE(Make({})->fast_output.has_value());
}

TEST(ModelTest, AShortlistThatDoesNotRestrictDrafts) {
  EXPECT_TRUE(Make({})->fast_output->has_drafts());
  EXPECT_FALSE(Make({.shortlist = true})->fast_output->has_drafts());
  EXPECT_FALSE(Make({}, /*with_shortlist=*/false)->fast_output->has_drafts());
}

}  // namespace
}  // namespace limpid::internal

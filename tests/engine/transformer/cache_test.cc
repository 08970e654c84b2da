#include "engine/transformer/cache.h"

#include <algorithm>
#include <cstdint>
#include <set>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using testing::Each;
using testing::SizeIs;

constexpr int kLayers = 3;
constexpr int kModelDim = 10;

// A value unique to a hypothesis, position and layer.
float Mark(int hypothesis, int position, int layer) {
  return static_cast<float>((hypothesis * 1000 + position) * kLayers + layer);
}

void FillNewest(SelfAttentionCache& cache, int hypothesis) {
  const int position = cache.length(hypothesis) - 1;
  for (int layer = 0; layer < kLayers; ++layer) {
    std::fill_n(cache.row(hypothesis, position, layer), 2 * kModelDim,
                Mark(hypothesis, position, layer));
  }
}

// As attention reads them: rows of [layers, 2, model_dim].
void ExpectMarks(const SelfAttentionCache& cache, int hypothesis, int count) {
  const RowList tokens = cache.tokens(hypothesis, count);
  ASSERT_EQ(tokens.count, count);
  for (int position = 0; position < count; ++position) {
    for (int layer = 0; layer < kLayers; ++layer) {
      const float* begin = tokens.rows[position] + layer * 2 * kModelDim;
      ASSERT_THAT(std::vector<float>(begin, begin + 2 * kModelDim),
                  Each(Mark(hypothesis, position, layer)));
    }
  }
}

TEST(SelfAttentionCacheTest, BeginsEmpty) {
  SelfAttentionCache cache;
  cache.Reset(kLayers, kModelDim, /*hypotheses=*/4);
  for (int hypothesis = 0; hypothesis < 4; ++hypothesis) EXPECT_EQ(cache.length(hypothesis), 0);
}

TEST(SelfAttentionCacheTest, HypothesesGrowIndependently) {
  SelfAttentionCache cache;
  cache.Reset(kLayers, kModelDim, /*hypotheses=*/3);
  for (int step = 0; step < 100; ++step) {
    for (int hypothesis = 0; hypothesis < 3; ++hypothesis) {
      if (step % (hypothesis + 1) != 0) continue;
      cache.Append(hypothesis);
      FillNewest(cache, hypothesis);
    }
  }
  EXPECT_EQ(cache.length(0), 100);
  EXPECT_EQ(cache.length(1), 50);
  EXPECT_EQ(cache.length(2), 34);
  for (int hypothesis = 0; hypothesis < 3; ++hypothesis) {
    ExpectMarks(cache, hypothesis, cache.length(hypothesis));
    ExpectMarks(cache, hypothesis, 1);
  }
}

TEST(SelfAttentionCacheTest, RowsNeverMove) {
  SelfAttentionCache cache;
  cache.Reset(kLayers, kModelDim, /*hypotheses=*/2);
  std::vector<const float*> rows;
  for (int position = 0; position < 1000; ++position) {
    for (int hypothesis = 0; hypothesis < 2; ++hypothesis) {
      cache.Append(hypothesis);
      rows.push_back(cache.row(hypothesis, position, 0));
    }
  }
  for (int position = 0; position < 1000; ++position) {
    for (int hypothesis = 0; hypothesis < 2; ++hypothesis) {
      ASSERT_EQ(cache.row(hypothesis, position, 0), rows[position * 2 + hypothesis]);
      ASSERT_EQ(cache.tokens(hypothesis, 1000).rows[position], rows[position * 2 + hypothesis]);
    }
  }
}

TEST(SelfAttentionCacheTest, ResetRemovesRowsButKeepsMemory) {
  SelfAttentionCache cache;
  std::vector<const float*> first_rows;
  for (int batch = 0; batch < 3; ++batch) {
    cache.Reset(kLayers, kModelDim, /*hypotheses=*/2);
    EXPECT_EQ(cache.length(0), 0);
    EXPECT_EQ(cache.length(1), 0);
    std::vector<const float*> rows;
    for (int position = 0; position < 300; ++position) {
      cache.Append(1);
      rows.push_back(cache.row(1, position, 0));
    }
    if (batch == 0) first_rows = rows;
    EXPECT_EQ(rows, first_rows);
  }
}

TEST(SelfAttentionCacheTest, ResetForAnotherModelAndMoreHypotheses) {
  SelfAttentionCache cache;
  cache.Reset(/*layers=*/1, /*model_dim=*/4, /*hypotheses=*/1);
  for (int i = 0; i < 200; ++i) cache.Append(0);
  cache.Reset(kLayers, kModelDim, /*hypotheses=*/5);
  for (int step = 0; step < 50; ++step) {
    for (int hypothesis = 0; hypothesis < 5; ++hypothesis) {
      cache.Append(hypothesis);
      FillNewest(cache, hypothesis);
    }
  }
  for (int hypothesis = 0; hypothesis < 5; ++hypothesis) ExpectMarks(cache, hypothesis, 50);
}

// Attention reads the same columns of many rows. In an L1 cache of 64 sets of 64-byte lines, rows
// of a power of two would all fall into the same few sets.
TEST(SelfAttentionCacheTest, RowsSpreadOverTheSetsOfTheL1Cache) {
  SelfAttentionCache cache;
  cache.Reset(/*layers=*/2, /*model_dim=*/256, /*hypotheses=*/1);
  std::set<uintptr_t> sets;
  for (int position = 0; position < 64; ++position) {
    cache.Append(0);
    sets.insert(reinterpret_cast<uintptr_t>(cache.row(0, position, 0)) / 64 % 64);
  }
  EXPECT_THAT(sets, SizeIs(64));
}

TEST(SelfAttentionCacheTest, AForkGrowsIndependently) {
  SelfAttentionCache cache;
  cache.Reset(kLayers, kModelDim, /*hypotheses=*/3);
  for (int step = 0; step < 5; ++step) {
    cache.Append(0);
    FillNewest(cache, 0);
  }
  cache.Fork(0, 2);
  EXPECT_EQ(cache.tokens(2, 5).rows[4], cache.tokens(0, 5).rows[4]);  // shared, not copied
  cache.Append(2);
  EXPECT_EQ(cache.length(0), 5);
  EXPECT_EQ(cache.length(2), 6);
  cache.Append(0);
  EXPECT_NE(cache.tokens(2, 6).rows[5], cache.tokens(0, 6).rows[5]);
}

TEST(SelfAttentionCacheTest, ReorderedHypothesesContinueTheirParents) {
  SelfAttentionCache cache;
  cache.Reset(kLayers, kModelDim, /*hypotheses=*/5);
  std::vector<const float*> last;
  for (int hypothesis = 0; hypothesis < 5; ++hypothesis) {
    cache.Append(hypothesis);
    last.push_back(cache.tokens(hypothesis, 1).rows[0]);
  }
  cache.Reorder(/*first=*/1, {2, 0, 2});
  const std::vector<int> expected = {0, 3, 1, 3, 4};
  for (int hypothesis = 0; hypothesis < 5; ++hypothesis) {
    EXPECT_EQ(cache.tokens(hypothesis, 1).rows[0], last[expected[hypothesis]]) << hypothesis;
  }
  cache.Append(1);
  EXPECT_EQ(cache.length(1), 2);
  EXPECT_EQ(cache.length(3), 1);
}

TEST(SelfAttentionCacheTest, ATruncatedHypothesisContinuesFromThere) {
  SelfAttentionCache cache;
  cache.Reset(kLayers, kModelDim, /*hypotheses=*/2);
  for (int position = 0; position < 5; ++position) {
    for (int hypothesis = 0; hypothesis < 2; ++hypothesis) {
      cache.Append(hypothesis);
      FillNewest(cache, hypothesis);
    }
  }
  cache.Truncate(1, 2);
  EXPECT_EQ(cache.length(0), 5);
  EXPECT_EQ(cache.length(1), 2);
  for (int position = 2; position < 70; ++position) {
    cache.Append(1);
    FillNewest(cache, 1);
  }
  ExpectMarks(cache, 0, 5);
  ExpectMarks(cache, 1, 70);
}

}  // namespace
}  // namespace limpid::internal

#include "engine/transformer/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

constexpr double kUnit = 1.0 / (1 << 24);  // float32 rounds to one part in 2^24

// A query, and rows of keys and values as in a cache. Columns that belong to other attentions are
// NaN, to catch reads of them.
struct Scene {
  Scene(Heads heads, int keys, unsigned seed) : shape(heads) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    const int model_dim = shape.heads * shape.head_dim;
    query.resize(model_dim);
    for (float& value : query) value = normal(random);
    key_offset = 3;
    value_offset = key_offset + model_dim + 2;
    const int width = value_offset + model_dim + 1;
    memory.assign(static_cast<size_t>(width) * keys, std::numeric_limits<float>::quiet_NaN());
    for (int key = 0; key < keys; ++key) {
      float* row = &memory[static_cast<size_t>(key) * width];
      for (int i = 0; i < model_dim; ++i) {
        row[key_offset + i] = normal(random);
        row[value_offset + i] = normal(random);
      }
      rows.push_back(row);
    }
  }

  KeysAndValues visible() const {
    return {.tokens = {rows.data(), static_cast<int>(rows.size())},
            .key_offset = key_offset,
            .value_offset = value_offset};
  }

  Heads shape;
  std::vector<float> query;
  std::vector<float> memory;
  std::vector<const float*> rows;
  int key_offset = 0;
  int value_offset = 0;
};

// [heads, PaddedKeys(keys)] to [heads, keys].
std::vector<float> WithoutPadding(const std::vector<float>& padded, int heads, int keys) {
  std::vector<float> rows;
  for (int head = 0; head < heads; ++head) {
    const auto begin = padded.begin() + head * PaddedKeys(keys);
    rows.insert(rows.end(), begin, begin + keys);
  }
  return rows;
}

// The results of Attend for a scene.
struct Attended {
  explicit Attended(const Scene& scene)
      : keys(static_cast<int>(scene.rows.size())),
        weights(static_cast<size_t>(scene.shape.heads) * PaddedKeys(keys)),
        scores(weights.size()),
        context(scene.query.size()) {
    Attend(scene.query.data(), scene.visible(), scene.shape, weights.data(), scores.data(),
           context.data());
    weights = WithoutPadding(weights, scene.shape.heads, keys);
    scores = WithoutPadding(scores, scene.shape.heads, keys);
  }
  float weight(int head, int key) const { return weights[head * keys + key]; }

  int keys;
  std::vector<float> weights;
  std::vector<float> scores;
  std::vector<float> context;
};

const std::vector<Heads>& Shapes() {
  static const std::vector<Heads>& shapes =
      *new std::vector<Heads>{{1, 16}, {4, 4}, {3, 5}, {16, 1}, {2, 36}, {8, 64}};
  return shapes;
}

TEST(AttendTest, FollowsThePaper) {
  for (const Heads shape : Shapes()) {
    for (const int keys : {1, 2, 7, 33}) {
      SCOPED_TRACE(testing::Message()
                   << shape.heads << " heads of " << shape.head_dim << ", " << keys << " keys");
      const Scene scene(shape, keys, /*seed=*/keys);
      const Attended found(scene);
      for (int head = 0; head < shape.heads; ++head) {
        const int begin = head * shape.head_dim;
        std::vector<double> scores(keys);
        for (int key = 0; key < keys; ++key) {
          for (int i = begin; i < begin + shape.head_dim; ++i) {
            scores[key] += double{scene.query[i]} * scene.rows[key][scene.key_offset + i];
          }
          scores[key] /= std::sqrt(shape.head_dim);
          // Scores stay below 10 here, contexts below 5.
          EXPECT_NEAR(found.scores[head * keys + key], scores[key],
                      10 * (shape.head_dim + 3) * kUnit);
        }
        double sum = 0;
        for (const double score : scores) sum += std::exp(score);
        std::vector<double> context(shape.head_dim);
        for (int key = 0; key < keys; ++key) {
          const double weight = std::exp(scores[key]) / sum;
          EXPECT_NEAR(found.weight(head, key), weight, 1e-5);
          for (int i = 0; i < shape.head_dim; ++i) {
            context[i] += weight * scene.rows[key][scene.value_offset + begin + i];
          }
        }
        for (int i = 0; i < shape.head_dim; ++i) {
          EXPECT_NEAR(found.context[begin + i], context[i], 5e-5);
        }
      }
    }
  }
}

TEST(AttendTest, WeightsOfEachHeadSumToOne) {
  for (const Heads shape : Shapes()) {
    const Attended found(Scene(shape, /*keys=*/50, /*seed=*/1));
    for (int head = 0; head < shape.heads; ++head) {
      const float* weights = &found.weights[static_cast<size_t>(head) * 50];
      EXPECT_NEAR(std::accumulate(weights, weights + 50, 0.0), 1, 1e-6);
    }
  }
}

TEST(AttendTest, TheOnlyKeyHasAllTheWeight) {
  for (const Heads shape : Shapes()) {
    const Scene scene(shape, /*keys=*/1, /*seed=*/1);
    const Attended found(scene);
    for (const float weight : found.weights) EXPECT_EQ(weight, 1);
    for (size_t i = 0; i < found.context.size(); ++i) {
      EXPECT_EQ(found.context[i], scene.rows[0][scene.value_offset + i]);
    }
  }
}

TEST(AttendTest, TheOrderOfTheKeysOnlyPermutesTheWeights) {
  Scene scene({4, 8}, /*keys=*/9, /*seed=*/1);
  const Attended found(scene);
  std::reverse(scene.rows.begin(), scene.rows.end());
  const Attended reversed(scene);
  for (int head = 0; head < 4; ++head) {
    for (int key = 0; key < 9; ++key) {
      EXPECT_NEAR(reversed.weight(head, 8 - key), found.weight(head, key), 1e-6);
    }
  }
  for (int i = 0; i < 32; ++i) EXPECT_NEAR(reversed.context[i], found.context[i], 1e-5);
}

// There is no mask: a key that is not in the list is not read.
TEST(AttendTest, AKeyOutsideTheListHasNoInfluence) {
  Scene scene({2, 8}, /*keys=*/6, /*seed=*/1);
  const std::vector<const float*> all = scene.rows;
  scene.rows.erase(scene.rows.begin() + 2);
  const Attended before(scene);
  std::fill_n(scene.memory.begin() + (all[2] - all[0]), all[3] - all[2],
              std::numeric_limits<float>::quiet_NaN());
  const Attended after(scene);
  EXPECT_EQ(after.weights, before.weights);
  EXPECT_EQ(after.context, before.context);
  for (const float value : after.context) EXPECT_FALSE(std::isnan(value));
}

TEST(AttendTest, HeadsDoNotSeeEachOther) {
  const Scene scene({4, 8}, /*keys=*/7, /*seed=*/1);
  const Attended together(scene);
  for (int head = 0; head < 4; ++head) {
    Scene alone = scene;
    alone.shape = {1, 8};
    alone.query = {scene.query.begin() + head * 8, scene.query.begin() + (head + 1) * 8};
    alone.key_offset += head * 8;
    alone.value_offset += head * 8;
    const Attended found(alone);
    for (int key = 0; key < 7; ++key) EXPECT_EQ(found.weight(0, key), together.weight(head, key));
    for (int i = 0; i < 8; ++i) EXPECT_EQ(found.context[i], together.context[head * 8 + i]);
  }
}

TEST(AttendTest, ScoresMayBeNull) {
  const Scene scene({4, 8}, /*keys=*/7, /*seed=*/1);
  const Attended expected(scene);
  std::vector<float> weights(4 * PaddedKeys(7));
  std::vector<float> context(expected.context.size());
  Attend(scene.query.data(), scene.visible(), scene.shape, weights.data(), nullptr, context.data());
  EXPECT_EQ(WithoutPadding(weights, 4, 7), expected.weights);
  EXPECT_EQ(context, expected.context);
}

// Records what it observes.
class Recorder : public AttentionObserver {
 public:
  void OnQuery(const AttentionId& id, Heads /*shape*/, const ObservedQuery& query) override {
    ids.push_back(id);
    rows.push_back(query.row);
    keys.push_back(query.visible.tokens.count);
    weights.emplace_back(query.weights, query.weights + 2 * keys.back());
    contexts.emplace_back(query.context, query.context + 16);
  }
  void OnOutput(const AttentionId& id, const Matrix& output,
                const Linear& /*projection*/) override {
    ids.push_back(id);
    outputs.assign(output.row(0), output.row(output.rows()));
  }

  std::vector<AttentionId> ids;
  std::vector<int> rows;
  std::vector<int> keys;
  std::vector<std::vector<float>> weights;
  std::vector<std::vector<float>> contexts;
  std::vector<float> outputs;
};

// Three queries, of which the i-th sees i + 1 keys, and a residual stream to add to.
class AttentionTest : public testing::Test {
 protected:
  AttentionTest() {
    std::mt19937 random(2);
    std::normal_distribution<float> normal;
    for (auto* values : {&weight_, &bias_, &residual_}) {
      for (float& value : *values) value = normal(random);
    }
    // Rows may be wider than a query: keys and values follow it.
    queries_.Resize(3, 3 * 16);
    for (int i = 0; i < 3 * 3 * 16; ++i) queries_.row(0)[i] = normal(random);
    y_.Resize(3, 16);
    std::copy(residual_.begin(), residual_.end(), y_.row(0));
  }

  KeysAndValues Visible(int row) const {
    KeysAndValues visible = scene_.visible();
    visible.tokens.count = row + 1;
    return visible;
  }

  void ApplyAndAdd() {
    const LinearWeights output = {
        .weight = {.shape = {16, 16}, .data = reinterpret_cast<const std::byte*>(weight_.data())},
        .bias = {.shape = {16}, .data = reinterpret_cast<const std::byte*>(bias_.data())}};
    const Attention attention(id_, scene_.shape, output, ComputeType::kFloat32);
    attention.ApplyAndAdd(
        queries_, [&](int row) { return Visible(row); }, y_, exec_);
  }

  // What attention with this context adds to a column of the residual stream.
  double Output(const std::vector<float>& context, int column) const {
    double sum = bias_[column];
    for (int i = 0; i < 16; ++i) sum += double{context[i]} * weight_[column * 16 + i];
    return sum;
  }

  const SingleThreadScope single_thread_;
  const AttentionId id_ = {AttentionKind::kCross, 1};
  const Scene scene_{{2, 8}, /*keys=*/3, /*seed=*/1};
  std::vector<float> weight_ = std::vector<float>(16 * 16);
  std::vector<float> bias_ = std::vector<float>(16);
  std::vector<float> residual_ = std::vector<float>(3 * 16);
  Matrix queries_;
  Matrix y_;
  Execution exec_;
};

TEST_F(AttentionTest, AddsTheProjectedContextOfEachQuery) {
  ApplyAndAdd();
  for (int row = 0; row < 3; ++row) {
    std::vector<float> weights(2 * PaddedKeys(3));
    std::vector<float> context(16);
    Attend(queries_.row(row), Visible(row), scene_.shape, weights.data(), nullptr, context.data());
    for (int i = 0; i < 16; ++i) {
      EXPECT_NEAR(y_.row(row)[i], residual_[row * 16 + i] + Output(context, i), 2e-5);
    }
  }
}

TEST_F(AttentionTest, AnObserverSeesEverythingAndChangesNothing) {
  ApplyAndAdd();
  const std::vector<float> unobserved(y_.row(0), y_.row(3));
  std::copy(residual_.begin(), residual_.end(), y_.row(0));
  Recorder recorder;
  exec_.observer = &recorder;
  ApplyAndAdd();
  EXPECT_EQ(std::vector<float>(y_.row(0), y_.row(3)), unobserved);

  EXPECT_EQ(recorder.ids, std::vector<AttentionId>(4, id_));
  EXPECT_EQ(recorder.rows, (std::vector<int>{0, 1, 2}));
  EXPECT_EQ(recorder.keys, (std::vector<int>{1, 2, 3}));
  ASSERT_EQ(recorder.outputs.size(), 3U * 16);
  for (int row = 0; row < 3; ++row) {
    std::vector<float> weights(2 * PaddedKeys(row + 1));
    std::vector<float> context(16);
    Attend(queries_.row(row), Visible(row), scene_.shape, weights.data(), nullptr, context.data());
    EXPECT_EQ(recorder.weights[row], WithoutPadding(weights, 2, row + 1));
    EXPECT_EQ(recorder.contexts[row], context);
    for (int i = 0; i < 16; ++i) {
      EXPECT_NEAR(recorder.outputs[row * 16 + i], Output(context, i), 2e-5);
    }
  }
}

}  // namespace
}  // namespace limpid::internal

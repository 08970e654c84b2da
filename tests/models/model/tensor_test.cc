#include "models/model/tensor.h"

#include <bit>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/model/float16.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;

template <typename T>
TensorView View(DType dtype, std::vector<int64_t> shape, const std::vector<T>& data) {
  return {.dtype = dtype,
          .shape = std::move(shape),
          .data = reinterpret_cast<const std::byte*>(data.data())};
}

std::vector<float> Row(const TensorView& tensor, int64_t row) {
  std::vector<float> values(static_cast<size_t>(tensor.columns()));
  ReadRow(tensor, row, values.data());
  return values;
}

TEST(TensorTest, CountsElementsRowsColumnsAndBytes) {
  const TensorView tensor{.dtype = DType::kFloat16, .shape = {3, 4, 5}};
  EXPECT_EQ(tensor.elements(), 60);
  EXPECT_EQ(tensor.rows(), 3);
  EXPECT_EQ(tensor.columns(), 20);
  EXPECT_EQ(tensor.bytes(), 120);

  const TensorView scalar{.dtype = DType::kFloat32, .shape = {}};
  EXPECT_EQ(scalar.elements(), 1);
  EXPECT_EQ(scalar.rows(), 1);
  EXPECT_EQ(scalar.columns(), 1);

  const TensorView empty{.dtype = DType::kInt8, .shape = {0, 7}};
  EXPECT_EQ(empty.elements(), 0);
  EXPECT_EQ(empty.columns(), 0);
  EXPECT_THAT(ReadAll(empty), ElementsAre());
}

TEST(TensorTest, ReadsFloat32) {
  const std::vector<float> data = {1, 2, 3, 4, 5, 6};
  const TensorView tensor = View(DType::kFloat32, {2, 3}, data);
  EXPECT_THAT(Row(tensor, 1), ElementsAre(4, 5, 6));
  EXPECT_EQ(ReadAll(tensor), data);
}

TEST(TensorTest, ReadsFloat16) {
  const std::vector<uint16_t> data = {0x3C00, 0xC000, 0x0001, 0x7BFF};
  const TensorView tensor = View(DType::kFloat16, {2, 2}, data);
  EXPECT_THAT(Row(tensor, 1), ElementsAre(0x1p-24F, 65504));
  EXPECT_THAT(ReadAll(tensor), ElementsAre(1, -2, 0x1p-24F, 65504));
}

// In whole vectors and with a remainder, on every processor.
TEST(TensorTest, ReadsEveryFloat16) {
  std::vector<uint16_t> data(0x10000);
  std::iota(data.begin(), data.end(), uint16_t{0});
  const std::vector<float> values = ReadAll(View(DType::kFloat16, {0x10000}, data));
  for (int i = 0; i < 0x10000; ++i) {
    const float expected = Float16ToFloat32(data[i]);
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(values[i])) << i;
    } else {
      ASSERT_EQ(std::bit_cast<uint32_t>(values[i]), std::bit_cast<uint32_t>(expected)) << i;
    }
  }
  const int size = 37;
  for (int row = 0; row + 1 < 0x10000 / size; ++row) {
    const std::vector<float> read = Row(View(DType::kFloat16, {0x10000 / size, size}, data), row);
    for (int i = 0; i < size; ++i) {
      const float expected = values[row * size + i];
      ASSERT_TRUE(read[i] == expected || std::isnan(expected)) << row << ", " << i;
    }
  }
}

TEST(TensorTest, ReadsBFloat16) {
  const std::vector<uint16_t> data = {0x3F80, 0xC000, 0x0001};
  const TensorView tensor = View(DType::kBFloat16, {3}, data);
  EXPECT_THAT(Row(tensor, 1), ElementsAre(-2));
  EXPECT_THAT(ReadAll(tensor), ElementsAre(1, -2, 0x1p-133F));
}

TEST(TensorTest, ReadsInt8WithTheScaleOfTheRow) {
  const std::vector<int8_t> data = {1, -2, 127, -127};
  const std::vector<float> scales = {0.5F, 2};
  TensorView tensor = View(DType::kInt8, {2, 2}, data);
  tensor.scales = scales.data();
  EXPECT_THAT(Row(tensor, 0), ElementsAre(0.5F, -1));
  EXPECT_THAT(Row(tensor, 1), ElementsAre(254, -254));
  EXPECT_THAT(ReadAll(tensor), ElementsAre(0.5F, -1, 254, -254));
}

TEST(TensorTest, Names) {
  EXPECT_EQ(DTypeName(DType::kFloat32), "float32");
  EXPECT_EQ(DTypeName(DType::kFloat16), "float16");
  EXPECT_EQ(DTypeName(DType::kBFloat16), "bfloat16");
  EXPECT_EQ(DTypeName(DType::kInt8), "int8");
  EXPECT_EQ(ShapeName({256, 1024}), "[256, 1024]");
  EXPECT_EQ(ShapeName({}), "[]");
}

}  // namespace
}  // namespace limpid::internal

#include "models/tensor.h"

#include <cstdint>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid {
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
}  // namespace limpid

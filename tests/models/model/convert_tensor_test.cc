#include "models/model/convert_tensor.h"

#include <cmath>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class ConvertTensorTest : public testing::Test {
 protected:
  // `values` as a tensor of one row in `dtype`, read back as float32.
  std::vector<float> Through(DType dtype, const std::vector<float>& values) {
    TensorView tensor = Matrix({1, static_cast<int64_t>(values.size())}, values);
    EXPECT_EQ(Message(ConvertTensor(dtype, tensor, tensors_.storage)), "");
    EXPECT_EQ(tensor.dtype, dtype);
    return ReadAll(tensor);
  }

  std::string Error(DType dtype, const std::vector<float>& values) {
    TensorView tensor = Matrix({static_cast<int64_t>(values.size()), 1}, values);
    return Message(ConvertTensor(dtype, tensor, tensors_.storage));
  }

  TensorView Matrix(std::vector<int64_t> shape, const std::vector<float>& values) {
    tensors_.Set("x", std::move(shape), values);
    return tensors_.views["x"];
  }

  OwnedTensors tensors_;
};

TEST_F(ConvertTensorTest, SameDTypeKeepsTheData) {
  TensorView tensor = Matrix({2, 2}, {1, 2, 3, 4});
  const std::byte* data = tensor.data;
  EXPECT_EQ(Message(ConvertTensor(DType::kFloat32, tensor, tensors_.storage)), "");
  EXPECT_EQ(tensor.data, data);
}

TEST_F(ConvertTensorTest, RoundsToTheSixteenBitFormats) {
  EXPECT_THAT(Through(DType::kFloat16, {1, 0.1F, -65504}),
              ElementsAre(1, 0.0999755859375F, -65504));
  EXPECT_THAT(Through(DType::kBFloat16, {1, 0.1F, 1e30F}),
              ElementsAre(1, 0.10009765625F, 0x1.94p99F));
}

TEST_F(ConvertTensorTest, Int8ScalesEachRowByItsLargestMagnitude) {
  TensorView tensor = Matrix({2, 3}, {1, -127, 2, 0.5F, 0.25F, 0});
  ASSERT_EQ(Message(ConvertTensor(DType::kInt8, tensor, tensors_.storage)), "");
  EXPECT_EQ(tensor.scales[0], 1);
  EXPECT_EQ(tensor.scales[1], 0.5F / 127);
  const auto* values = reinterpret_cast<const int8_t*>(tensor.data);
  EXPECT_THAT(std::vector<int>(values, values + 6), ElementsAre(1, -127, 2, 127, 64, 0));
}

TEST_F(ConvertTensorTest, Int8RoundsTiesToEven) {
  EXPECT_THAT(Through(DType::kInt8, {127, 0.5F, 1.5F, -2.5F, 2.51F}),
              ElementsAre(127, 0, 2, -2, 3));
}

// The scale of such rows is zero or subnormal.
TEST_F(ConvertTensorTest, Int8TakesRowsOfZerosAndOfTheSmallestNumbers) {
  const float smallest = std::numeric_limits<float>::denorm_min();
  TensorView tensor = Matrix({3, 2}, {0, -0.0F, smallest, -smallest, 190 * smallest, -smallest});
  ASSERT_EQ(Message(ConvertTensor(DType::kInt8, tensor, tensors_.storage)), "");
  const auto* values = reinterpret_cast<const int8_t*>(tensor.data);
  EXPECT_THAT(std::vector<int>(values, values + 6), ElementsAre(0, 0, 0, 0, 127, -1));
}

TEST_F(ConvertTensorTest, ConvertsBackFromInt8) {
  TensorView tensor = Matrix({2, 2}, {127, -64, 254, 2});
  ASSERT_EQ(Message(ConvertTensor(DType::kInt8, tensor, tensors_.storage)), "");
  tensor.input_scale = 3;
  ASSERT_EQ(Message(ConvertTensor(DType::kFloat32, tensor, tensors_.storage)), "");
  EXPECT_EQ(tensor.scales, nullptr);
  EXPECT_EQ(tensor.input_scale, 0);
  EXPECT_THAT(ReadAll(tensor), ElementsAre(127, -64, 254, 2));
}

TEST_F(ConvertTensorTest, RejectsNumbersThatTheDTypeCannotHold) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float nan = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(Error(DType::kFloat16, {1, 70000}),
              HasSubstr("row 1 holds 70000, which float16 cannot hold"));
  EXPECT_THAT(Error(DType::kBFloat16, {3.4e38F}), HasSubstr("which bfloat16 cannot hold"));
  EXPECT_THAT(Error(DType::kInt8, {infinity}), HasSubstr("inf, which int8 cannot hold"));
  EXPECT_THAT(Error(DType::kInt8, {nan}), HasSubstr("nan, which int8 cannot hold"));
  EXPECT_EQ(Error(DType::kFloat16, {infinity, nan}), "");
}

}  // namespace
}  // namespace limpid::internal

#include "limpid/compute_type.h"

#include <cstdlib>
#include <optional>
#include <string>

#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

constexpr ComputeType kAll[] = {ComputeType::kAuto, ComputeType::kFloat32, ComputeType::kBFloat16,
                                ComputeType::kInt8};

TEST(ComputeTypeTest, NamesAreThoseOfTheFlag) {
  EXPECT_EQ(ComputeTypeName(ComputeType::kAuto), "auto");
  EXPECT_EQ(ComputeTypeName(ComputeType::kFloat32), "float32");
  EXPECT_EQ(ComputeTypeName(ComputeType::kBFloat16), "bfloat16");
  EXPECT_EQ(ComputeTypeName(ComputeType::kInt8), "int8");
}

TEST(ComputeTypeTest, NamesParseBack) {
  for (const ComputeType type : kAll) EXPECT_EQ(ParseComputeType(ComputeTypeName(type)), type);
}

TEST(ComputeTypeTest, NothingElseParses) {
  for (const char* name : {"", "Int8", "int", "int8 ", "float", "float16", "fp32"}) {
    EXPECT_EQ(ParseComputeType(name), std::nullopt) << name;
  }
}

TEST(ComputeTypeTest, EveryProcessorComputesInFloat32) {
  EXPECT_TRUE(IsSupported(ComputeType::kFloat32));
}

#if !defined(__x86_64__)

TEST(ComputeTypeTest, OnlyX86HasInt8ThatIsFasterThanFloat32) {
  EXPECT_FALSE(IsSupported(ComputeType::kInt8));
}

#else

TEST(ComputeTypeTest, EveryX86ProcessorComputesInInt8) {
  EXPECT_TRUE(IsSupported(ComputeType::kInt8));
}

// oneDNN reads the variable only once, at its first use, so that each case needs its own process.
void ExpectSupport(const char* instruction_set, ComputeType type, bool expected) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ASSERT_EQ(setenv("ONEDNN_MAX_CPU_ISA", instruction_set, /*overwrite=*/1), 0);
  EXPECT_EXIT(std::exit(IsSupported(type) ? 1 : 0), testing::ExitedWithCode(expected ? 1 : 0), "")
      << instruction_set << ", " << ComputeTypeName(type);
  unsetenv("ONEDNN_MAX_CPU_ISA");
}

TEST(ComputeTypeTest, SupportFollowsTheProcessor) {
  const bool has_bfloat16 = __builtin_cpu_supports("avx512bf16") != 0;
  ExpectSupport("ALL", ComputeType::kBFloat16, has_bfloat16);
}

TEST(ComputeTypeTest, OlderProcessorsSupportLess) {
  for (const char* older : {"SSE41", "AVX2", "AVX512_CORE", "AVX512_CORE_VNNI"}) {
    ExpectSupport(older, ComputeType::kFloat32, true);
    ExpectSupport(older, ComputeType::kInt8, true);
    ExpectSupport(older, ComputeType::kBFloat16, false);
  }
}

#endif  // __x86_64__

}  // namespace
}  // namespace limpid::internal

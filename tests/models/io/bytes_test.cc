#include "models/io/bytes.h"

#include <array>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace limpid::internal {
namespace {

using ::testing::HasSubstr;

constexpr std::array<std::byte, 7> kBytes = {std::byte{0x02}, std::byte{0x01}, std::byte{'a'},
                                             std::byte{'b'},  std::byte{0},    std::byte{0},
                                             std::byte{0x80}};

TEST(ByteReaderTest, ReadsFieldsOneAfterTheOther) {
  ByteReader reader(kBytes);
  EXPECT_EQ(*reader.Read<uint16_t>("a number"), 0x0102);
  EXPECT_EQ(*reader.TakeText(2, "a name"), "ab");
  EXPECT_EQ(reader.position(), 4U);
  EXPECT_EQ(reader.remaining(), 3U);
  const auto rest = reader.Take(3, "the rest");
  ASSERT_TRUE(rest.ok());
  EXPECT_EQ(rest->data(), kBytes.data() + 4);
  EXPECT_EQ(reader.remaining(), 0U);
}

TEST(ByteReaderTest, RejectsReadsPastTheEndAndDoesNotMove) {
  ByteReader reader(kBytes);
  EXPECT_THAT(reader.Read<uint64_t>("a count").status().message(),
              HasSubstr("expected 8 bytes for a count at byte 0, found 7"));
  EXPECT_FALSE(reader.Take(UINT64_MAX, "a tensor").ok());
  EXPECT_EQ(reader.position(), 0U);
  EXPECT_TRUE(reader.Take(7, "all").ok());
}

}  // namespace
}  // namespace limpid::internal

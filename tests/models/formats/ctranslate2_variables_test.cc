#include "models/formats/ctranslate2_variables.h"

#include <cstring>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

template <typename T>
std::string Bytes(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

std::string Name(const std::string& text) {
  return Bytes(static_cast<uint16_t>(text.size() + 1)) + text + '\0';
}

constexpr char kFloat32 = 0;
constexpr char kInt8 = 1;
constexpr char kInt16 = 2;
constexpr char kInt32 = 3;

std::string Variable(const std::string& name, const std::vector<uint32_t>& shape, char type,
                     const std::string& data) {
  std::string out = Name(name) + static_cast<char>(shape.size());
  for (const uint32_t dimension : shape) out += Bytes(dimension);
  return out + type + Bytes(static_cast<uint32_t>(data.size())) + data;
}

std::string File(uint32_t variables, const std::string& text, const std::string& aliases) {
  return Bytes(uint32_t{6}) + Name("Spec") + Bytes(uint32_t{7}) + Bytes(variables) + text + aliases;
}

const std::string kNoAliases = Bytes(uint32_t{0});

absl::StatusOr<CTranslate2Variables> Parse(const std::string& file) {
  return ParseCTranslate2({reinterpret_cast<const std::byte*>(file.data()), file.size()});
}

TEST(CTranslate2VariablesTest, ReadsNumbersMatricesAndTexts) {
  const std::string file = File(4,
                                Variable("matrix", {1, 2}, kFloat32, Bytes(1.5F) + Bytes(-2.0F)) +
                                    Variable("flag", {}, kInt8, "\1") +
                                    Variable("number", {}, kInt32, Bytes(int32_t{-70000})) +
                                    Variable("text", {3}, kInt8, "abc"),
                                kNoAliases);
  auto found = Parse(file);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->specification, "Spec");
  EXPECT_EQ(found->revision, 7U);
  EXPECT_THAT(ReadAll(found->tensors.at("matrix")), ElementsAre(1.5F, -2.0F));
  EXPECT_TRUE(found->scalars.at("flag").is_flag);
  EXPECT_EQ(found->TakeScalar("number")->value, -70000);
  EXPECT_FALSE(found->TakeScalar("number").has_value());
  EXPECT_EQ(found->TakeText("text", "none"), "abc");
  EXPECT_EQ(found->TakeText("text", "none"), "none");
}

TEST(CTranslate2VariablesTest, IntegersAreDividedByTheirScales) {
  const std::string file =
      File(5,
           Variable("a", {2, 1}, kInt8, "\x04\xFC") +
               Variable("a_scale", {2}, kFloat32, Bytes(2.0F) + Bytes(8.0F)) +
               Variable("b", {2, 1}, kInt16, Bytes(int16_t{300}) + Bytes(int16_t{-6})) +
               Variable("b_scale", {}, kFloat32, Bytes(2.0F)) +
               Variable("c", {1, 1}, kInt16, Bytes(int16_t{500})),
           Bytes(uint32_t{1}) + Name("alias") + Name("a"));
  const auto found = Parse(file);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_THAT(ReadAll(found->tensors.at("a")), ElementsAre(2.0F, -0.5F));
  EXPECT_THAT(ReadAll(found->tensors.at("alias")), ElementsAre(2.0F, -0.5F));
  EXPECT_THAT(ReadAll(found->tensors.at("b")), ElementsAre(150.0F, -3.0F));
  EXPECT_THAT(ReadAll(found->tensors.at("c")), ElementsAre(0.5F));  // the default scale is 1000
  EXPECT_EQ(found->tensors.size(), 4U);
}

TEST(CTranslate2VariablesTest, RejectsInvalidScales) {
  const auto error = [](const std::string& scale) {
    return Message(Parse(File(2, Variable("a", {2, 1}, kInt8, "ab") + scale, kNoAliases)));
  };
  EXPECT_THAT(error(Variable("b", {}, kInt8, "b")), HasSubstr("needs a variable \"a_scale\""));
  EXPECT_THAT(error(Variable("a_scale", {3}, kFloat32, std::string(12, 'x'))),
              HasSubstr("expected 1 or 2 float32 numbers"));
  EXPECT_THAT(error(Variable("a_scale", {}, kFloat32, Bytes(0.0F))), HasSubstr("holds 0"));
  EXPECT_THAT(error(Variable("a_scale", {}, kFloat32, Bytes(NAN))), HasSubstr("holds nan"));
  EXPECT_THAT(error(Variable("a_scale", {}, kFloat32, Bytes(1e-45F))), HasSubstr("above 0"));
}

// Sizes that a file only claims must not be allocated.
TEST(CTranslate2VariablesTest, RejectsCountsBeyondTheFile) {
  EXPECT_THAT(Message(Parse(File(0xFFFFFFFF, "", ""))), HasSubstr("ends too early"));
  EXPECT_THAT(Message(Parse(File(0, "", Bytes(0xFFFFFFFF)))), HasSubstr("ends too early"));
  const auto error = [](const std::vector<uint32_t>& shape, uint32_t bytes) {
    std::string variable = Name("a") + static_cast<char>(shape.size());
    for (const uint32_t dimension : shape) variable += Bytes(dimension);
    variable += kFloat32 + Bytes(bytes) + std::string(1000, '\0');
    return Message(Parse(File(1, variable, kNoAliases)));
  };
  EXPECT_THAT(error({1000000, 1000000}, 4000), HasSubstr("[1000000, 1000000] has 4000 bytes"));
  EXPECT_THAT(error({0x80000000, 0x80000000, 16}, 0), HasSubstr("has 0 bytes"));  // 2^66 bytes
  EXPECT_THAT(error({1000000, 1000}, 4000000000U), HasSubstr("ends too early"));
  EXPECT_THAT(error({0xFFFFFFFF, 0}, 0), HasSubstr("has 0 bytes"));
  EXPECT_THAT(error(std::vector<uint32_t>(8, 1), 5), HasSubstr("has 5 bytes of 4 an element"));
}

// Each alias copies its variable's text or shape, so these must be small.
TEST(CTranslate2VariablesTest, RejectsWhatAliasesWouldMultiply) {
  const std::string text(101, 'a');
  EXPECT_THAT(Message(Parse(File(1, Variable("a", {101}, kInt8, text), kNoAliases))),
              HasSubstr("variable \"a\" is a text of 101 bytes; expected at most 100"));
  const std::vector<uint32_t> shape(9, 1);
  EXPECT_THAT(Message(Parse(File(1, Variable("a", shape, kFloat32, Bytes(1.0F)), kNoAliases))),
              HasSubstr("variable \"a\": has 9 dimensions; expected at most 8"));
}

TEST(CTranslate2VariablesTest, RejectsMalformedVariables) {
  const std::string variable = Variable("a", {}, kInt8, "a");
  EXPECT_THAT(Message(Parse(File(2, variable + variable, kNoAliases))),
              HasSubstr("variable \"a\" is there twice"));
  EXPECT_THAT(Message(Parse(File(1, Variable("a", {}, 6, "a"), kNoAliases))),
              HasSubstr("variable \"a\": has the unknown type 6"));
  EXPECT_THAT(Message(Parse(File(1, Variable("a", {1}, kInt32, Bytes(1)), kNoAliases))),
              HasSubstr("an array of int32"));
  EXPECT_THAT(Message(Parse(File(1, Variable("a", {}, kFloat32, Bytes(NAN)), kNoAliases))),
              HasSubstr("is not a finite number"));
  EXPECT_THAT(Message(Parse(File(1, variable, Bytes(uint32_t{1}) + Name("b") + Name("c")))),
              HasSubstr("variable \"c\" is not there, but has the alias \"b\""));
  EXPECT_THAT(Message(Parse(File(1, Bytes(uint16_t{1}) + "ab", kNoAliases))),
              HasSubstr("with a NUL at its end"));
}

}  // namespace
}  // namespace limpid::internal

#include "models/formats/pickle.h"

#include <random>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/io/zip.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using namespace std::string_literals;

absl::StatusOr<Pickle> Parse(const std::string& text) {
  return ParsePickle({reinterpret_cast<const std::byte*>(text.data()), text.size()});
}

std::string Error(const std::string& text) { return Message(Parse(text)); }

// The value of a pickle that is a single number.
int64_t Number(const std::string& text) {
  const auto pickle = Parse(text);
  EXPECT_TRUE(pickle.ok()) << pickle.status();
  return *pickle->Get<int64_t>(pickle->root);
}

// The pickles are those of Python's pickle.dumps(…, protocol=2).
TEST(PickleTest, ReadsNumbers) {
  EXPECT_EQ(Number("\x80\x02K\xFF."s), 255);
  EXPECT_EQ(Number("\x80\x02M\xE9\x03."s), 1001);
  EXPECT_EQ(Number("\x80\x02J\xFF\xFF\xFF\xFF."s), -1);
  EXPECT_EQ(Number("\x80\x02\x8A\x06\x00\x00\x00\x00\x00\x01."s), int64_t{1} << 40);
  EXPECT_EQ(Number("\x80\x02\x8A\x05\x00\x00\x00\x80\xFF."s), -(int64_t{1} << 31));
  EXPECT_EQ(Number("\x80\x02\x8A\x00."s), 0);
  EXPECT_THAT(Error("\x80\x02\x8A\x09\x00\x00\x00\x00\x00\x00\x00\x00\x40."s),
              HasSubstr("below 2^63, found one of 9 bytes"));
  const auto pickle = Parse("\x80\x02G?\xD0\x00\x00\x00\x00\x00\x00."s);
  EXPECT_EQ(*pickle->Get<double>(pickle->root), 0.25);
}

TEST(PickleTest, ReadsContainersAndMemos) {
  // {"a": [1, None], "b": the same list}
  const auto pickle =
      Parse("\x80\x02}q\x00(X\x01\x00\x00\x00"s + "a]q\x01(K\x01NeX\x01\x00\x00\x00"s + "bh\x01u.");
  ASSERT_TRUE(pickle.ok()) << pickle.status();
  const auto* dict = pickle->Get<PickledDict>(pickle->root);
  ASSERT_EQ(dict->items.size(), 2);
  EXPECT_EQ(*pickle->Get<std::string>(dict->items[0].first), "a");
  EXPECT_EQ(dict->items[0].second, dict->items[1].second);
  const auto* list = pickle->Get<PickledList>(dict->items[1].second);
  ASSERT_EQ(list->items.size(), 2);
  EXPECT_EQ(*pickle->Get<int64_t>(list->items[0]), 1);
  EXPECT_NE(pickle->Get<PickledNone>(list->items[1]), nullptr);
}

TEST(PickleTest, NamesUnknownOpcodesAndGlobalsWithTheirPlace) {
  EXPECT_EQ(
      Error("\x80\x02"
            "cos\nsystem\n."),
      "pickle, byte 2: refers to \"os.system\", which is neither a tensor nor plain data, and "
      "is not run; save the weights alone: torch.save(model.state_dict(), path)");
  EXPECT_EQ(Error("\x80\x02N.what follows the end is ignored"), "");
  EXPECT_THAT(Error("\x80\x02)\x81."), HasSubstr("byte 3: the opcode 0x81 does not occur"));
  EXPECT_THAT(Error("\x80\x05."), HasSubstr("expected pickle protocol 2"));
  EXPECT_THAT(Error("\x80\x02"
                    "ccollections\nOrderedDict\nN\x85R."),
              HasSubstr("an OrderedDict with arguments"));
}

TEST(PickleTest, RejectsMalformedPickles) {
  EXPECT_THAT(Error(""), HasSubstr("ends too early"));
  EXPECT_THAT(Error("."), HasSubstr("does not end in one value"));
  EXPECT_THAT(Error("NN."), HasSubstr("does not end in one value"));
  EXPECT_THAT(Error("(N."), HasSubstr("does not end in one value"));
  EXPECT_THAT(Error("t."), HasSubstr("mark that does not exist"));
  EXPECT_THAT(Error("N(\x85."), HasSubstr("more from the stack than there is"));
  EXPECT_THAT(Error("q\x01."), HasSubstr("a memo of an empty stack"));
  EXPECT_THAT(Error("Nr\xFF\xFF\xFF\xFF."), HasSubstr("a memo with number 4294967295"));
  EXPECT_THAT(Error("h\x01."), HasSubstr("there is no memo 1"));
  EXPECT_THAT(Error("NNa."), HasSubstr("appends to a value that is not a list"));
  EXPECT_THAT(Error("NNNs."), HasSubstr("sets items of a value that is not a dict"));
  EXPECT_THAT(Error("}(Nu."), HasSubstr("a key without a value"));
  EXPECT_THAT(Error("NNb."), HasSubstr("attributes of a value that is not a dict"));
  EXPECT_THAT(Error("N)R."), HasSubstr("calls a value that is not a function"));
  EXPECT_THAT(Error("NQ."), HasSubstr("the five fields of a storage"));
  EXPECT_THAT(Error("X\xFF\xFF\xFF\xFF."), HasSubstr("ends too early"));
  EXPECT_THAT(Error("c" + std::string(2000, 'x')), HasSubstr("a name that does not end"));
  EXPECT_THAT(Error(std::string(kMaxPickledValues + 1, 'N')), HasSubstr("more than 250000"));
}

// A recursive parser would need one stack frame per level.
TEST(PickleTest, DeepNestingIsHarmless) {
  std::string deep(kMaxPickledValues - 1, '\x85');
  EXPECT_EQ(Error("N" + deep + "."), "");
  EXPECT_EQ(Error("]q\x01h\x01"s + "a."), "");  // a list that holds itself
}

// The pickle of a real file, without the archive's checksums.
TEST(PickleTest, FlippedBitsAndCutsGiveAStatusOrAPickle) {
  const auto zip = ZipReader::Open("tests/golden/torch_files/training.pt");
  ASSERT_TRUE(zip.ok()) << zip.status();
  auto bytes = *(*zip)->Read("training/data.pkl");
  ASSERT_EQ(Message(ParsePickle(bytes)), "");
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_NE(Message(ParsePickle(absl::MakeConstSpan(bytes).first(size))), "");
  }
  std::mt19937 random(4);
  int rejected = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto before = bytes;
    for (unsigned flips = 1 + random() % 3; flips > 0; --flips) {
      bytes[random() % bytes.size()] ^= std::byte{1} << (random() % 8);
    }
    if (!ParsePickle(bytes).ok()) ++rejected;
    bytes = before;
  }
  EXPECT_GT(rejected, 1000);
}

}  // namespace
}  // namespace limpid::internal

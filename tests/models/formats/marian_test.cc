// Reads Marian's files. tests/engine/marian_golden_test.cc checks the engine's results with them.

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <limits>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/io/zip.h"
#include "models/model/checkpoint.h"
#include "models/model/describe.h"
#include "models/model/weights.h"
#include "models/native/native.h"
#include "models/native/shortlist.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr char kModels[] = "tests/golden/marian/";
constexpr char kOptions[] = "special:model.yml.npy";

std::string CopyOf(const std::string& model) {
  std::string folder = FreshPath(model);
  // Names of parameterized tests contain slashes.
  fs::create_directories(fs::path(folder).parent_path());
  fs::copy(kModels + model, folder);
  return folder;
}

std::string Replaced(std::string text, const std::string& before, const std::string& after) {
  const size_t at = text.find(before);
  EXPECT_NE(at, std::string::npos) << before;
  return text.replace(at, before.size(), after);
}

std::string Npy(const std::string& dtype, const std::string& shape, const std::string& data) {
  const std::string header =
      "{'descr': '" + dtype + "', 'fortran_order': False, 'shape': (" + shape + "), }\n";
  std::string npy = "\x93NUMPY\x01";
  npy += '\0';
  npy += static_cast<char>(header.size());
  npy += '\0';
  return npy + header + data;
}

// post_norm/, of whose .npz each test changes entries.
class MarianNpzTest : public testing::Test {
 protected:
  MarianNpzTest() : folder_(CopyOf("post_norm")) {
    const auto zip = ZipReader::Open(folder_ + "/model.npz");
    for (const std::string& name : (*zip)->names()) {
      const auto bytes = (*zip)->Read(name);
      entries_[name].assign(reinterpret_cast<const char*>(bytes->data()), bytes->size());
    }
  }

  absl::StatusOr<Checkpoint> Read() {
    std::vector<ZipEntry> entries;
    for (const auto& [name, data] : entries_) {
      entries.push_back({name, {reinterpret_cast<const std::byte*>(data.data()), data.size()}});
    }
    EXPECT_EQ(Message(WriteZip(folder_ + "/model.npz", entries)), "");
    return ReadCheckpoint(folder_);
  }

  std::string ErrorOf(const std::string& entry, const std::string& data) {
    entries_[entry] = data;
    return Message(Read());
  }

  // With one option, "key: value", changed.
  std::string ErrorWith(const std::string& before, const std::string& after) {
    const std::string kept = entries_[kOptions];
    const size_t begin = kept.find('\n') + 1;
    const std::string options = Replaced(kept.substr(begin), before, after);
    std::string error =
        ErrorOf(kOptions, Npy("|i1", std::to_string(options.size()) + ",", options));
    entries_[kOptions] = kept;
    return error;
  }

  std::string folder_;
  std::map<std::string, std::string> entries_;
};

TEST_F(MarianNpzTest, IsReadAsAFolderAndAsAFile) {
  const auto folder = Read();
  ASSERT_TRUE(folder.ok()) << folder.status();
  EXPECT_EQ(folder->format, "Marian .npz");
  const auto file = ReadCheckpoint(folder_ + "/model.npz");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->config, folder->config);
  EXPECT_EQ(file->source_vocabulary, folder->source_vocabulary);
}

TEST_F(MarianNpzTest, NamesOptionsThatTheEngineCannotDo) {
  const std::pair<const char*, const char*> kCases[] = {
      {"type: transformer", "type: s2s"},
      {"right-left: false", "right-left: true"},
      {"ulr: false", "ulr: true"},
      {"lemma-dim-emb: 0", "lemma-dim-emb: 8"},
      {"transformer-no-projection: false", "transformer-no-projection: true"},
      {"transformer-ffn-depth: 2", "transformer-ffn-depth: 3"},
      {"transformer-ffn-activation: swish", "transformer-ffn-activation: tanh"},
      {"transformer-decoder-autoreg: self-attention",
       "transformer-decoder-autoreg: average-attention"},
      {"transformer-attention-mask: default", "transformer-attention-mask: alibi"},
      {"transformer-postprocess-top: \"\"", "transformer-postprocess-top: an"},
      {"input-types:\n  []", "input-types:\n  - class"}};
  for (const auto& [before, after] : kCases) {
    const std::string changed = after;
    EXPECT_THAT(ErrorWith(before, after),
                AllOf(HasSubstr("option \"" + changed.substr(0, changed.find(':')) + "\""),
                      HasSubstr("Limpid can do")))
        << after;
  }
  EXPECT_THAT(ErrorWith("transformer-postprocess: dan", "transformer-postprocess: dna"),
              HasSubstr("Limpid can do \"|an\", \"n|a\", found \"|na\""));
  EXPECT_THAT(
      ErrorWith("transformer-decoder-autoreg: self-attention", "transformer-decoder-autoreg: rnn"),
      HasSubstr("option \"dec-cell\": Limpid can do \"ssru\", found \"gru\""));
  EXPECT_THAT(ErrorWith("  - 61\n", "  - 61\n  - 61\n"), HasSubstr("found more sides"));
  EXPECT_THAT(ErrorWith("dim-emb: 16", "dim-emb: x"),
              HasSubstr("option \"dim-emb\": expected a whole number, found \"x\""));
  EXPECT_THAT(ErrorWith("transformer-heads: 2", "transformer-heads: 3"),
              HasSubstr("3 heads do not divide"));
  EXPECT_THAT(ErrorWith("transformer-tied-layers:\n  []", "transformer-tied-layers: [1, 3]"),
              HasSubstr("expected numbers of layers from 1 to 2, found \"3\""));
  EXPECT_THAT(ErrorWith("enc-depth: 2", "enc-depth: 3"),
              HasSubstr("tensor \"encoder_l3_self_Wq\" is missing"));
  EXPECT_THAT(ErrorWith("enc-depth: 2", "enc-depth: 1"), HasSubstr("is not part of a transformer"));
}

TEST_F(MarianNpzTest, TakesAPositionTableForLearnedPositions) {
  const std::string table(20 * 16 * sizeof(float), '\0');
  entries_["Wpos.npy"] = Npy("<f4", "20, 16", table);
  const auto checkpoint = Read();
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->config.positions, Positions::kLearned);
  EXPECT_EQ(checkpoint->config.max_positions, 20);
  EXPECT_EQ(checkpoint->config.embedding_scale, 1);
}

TEST_F(MarianNpzTest, ExplainsInvalidArrays) {
  const std::string name = "decoder_l1_ffn_b2.npy";
  const std::string data(16 * sizeof(float), '\0');
  EXPECT_EQ(ErrorOf(name, Npy("<f4", "1, 16", data)), "");
  EXPECT_THAT(ErrorOf(name, Npy("<f2", "1, 32", data)), HasSubstr("float32 ('<f4') alone"));
  EXPECT_THAT(ErrorOf(name, Npy("<f4", "1, 15", data)), HasSubstr("takes 60 bytes, found 64"));
  EXPECT_THAT(ErrorOf(name, Npy("<f4", "1, 17", data)), HasSubstr("does not fit the 64 bytes"));
  EXPECT_THAT(ErrorOf(name, Npy("<f4", "4294967296, 4294967296", data)), HasSubstr("does not fit"));
  EXPECT_THAT(ErrorOf(name, Npy("<f4", "0, 16", "")), HasSubstr("does not fit"));
  EXPECT_THAT(ErrorOf(name, Npy("<f4", "-1, 16", data)), HasSubstr("expected a .npy header"));
  EXPECT_THAT(ErrorOf(name, Npy("<f4", "2, 8", data)), HasSubstr("[2, 8]"));
  EXPECT_THAT(ErrorOf(name, "text"), AllOf(HasSubstr(name), HasSubstr("ends too early")));
  EXPECT_THAT(ErrorOf(name, "longer text"), HasSubstr("is not a .npy file"));
}

TEST_F(MarianNpzTest, ExplainsAWrongVocabulary) {
  fs::copy_file(std::string(kModels) + "pre_norm/srcvocab.spm", folder_ + "/vocab.spm",
                fs::copy_options::overwrite_existing);
  EXPECT_THAT(Message(Read()), HasSubstr("embedding has 61 rows, found 40 pieces"));
}

TEST(MarianTest, ReadsAnOpusMtFolder) {
  const auto checkpoint = ReadCheckpoint(std::string(kModels) + "opus_mt");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  // Ids come from vocab.yml; source.spm and target.spm split text.
  EXPECT_EQ(checkpoint->source_vocabulary.size(), 60U);
  EXPECT_EQ(checkpoint->source_vocabulary[2], ".");
  EXPECT_EQ(checkpoint->source_sentencepiece,
            ReadText(std::string(kModels) + "opus_mt/source.spm"));
  EXPECT_EQ(checkpoint->target_sentencepiece,
            ReadText(std::string(kModels) + "opus_mt/target.spm"));
  EXPECT_EQ(checkpoint->config.alignment_layer, 0);
  EXPECT_EQ(checkpoint->config.bad_words, std::vector<int>{1});
}

// A Bergamot model is the same after a round trip through a Limpid folder, including int8 values
// and scales.
TEST(MarianTest, Int8AndShortlistSurviveUnchanged) {
  auto bergamot = ReadCheckpoint(std::string(kModels) + "bergamot");
  ASSERT_TRUE(bergamot.ok()) << bergamot.status();
  EXPECT_EQ(bergamot->config.decoder_self_attention, DecoderSelfAttention::kSsru);
  EXPECT_EQ(bergamot->shortlist, ReadText(std::string(kModels) + "bergamot/lex.10.4.ende.s2t.bin"));
  const std::string folder = FreshPath("native");
  ASSERT_EQ(Message(WriteNative(*bergamot, folder, DType::kInt8)), "");
  const auto native = ReadCheckpoint(folder);
  ASSERT_TRUE(native.ok()) << native.status();
  bergamot->config.tokenizer = TokenizerKindOf(*bergamot);  // only Limpid folders state it
  EXPECT_EQ(native->config, bergamot->config);
  EXPECT_EQ(native->shortlist, bergamot->shortlist);
  for (const auto& [name, tensor] : bergamot->tensors) {
    const TensorView& other = native->tensors.at(name);
    ASSERT_EQ(other.dtype, tensor.dtype) << name;
    ASSERT_EQ(other.shape, tensor.shape) << name;
    EXPECT_EQ(std::memcmp(other.data, tensor.data, tensor.bytes()), 0) << name;
    if (tensor.dtype != DType::kInt8) continue;
    EXPECT_TRUE(std::equal(tensor.scales, tensor.scales + tensor.rows(), other.scales)) << name;
    EXPECT_EQ(other.input_scale, tensor.input_scale) << name;
  }
}

TEST(MarianTest, ReadsInputScalesFromAnAlphasFile) {
  const auto checkpoint = ReadCheckpoint(std::string(kModels) + "bergamot");
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  std::set<float> scales;
  for (const auto& [name, tensor] : checkpoint->tensors) {
    if (tensor.dtype == DType::kInt8) scales.insert(tensor.input_scale);
  }
  EXPECT_EQ(scales, (std::set<float>{1 / 10.0F, 1 / 14.0F, 1 / 18.0F, 1 / 22.0F}));
  EXPECT_EQ(checkpoint->tensors.at("embedding.weight").input_scale, 1 / 18.0F);
  EXPECT_THAT(Describe(*checkpoint), HasSubstr("scales are stored with "));

  const auto without = ReadCheckpoint(std::string(kModels) + "ssru_int8");
  ASSERT_TRUE(without.ok()) << without.status();
  for (const auto& [name, tensor] : without->tensors) EXPECT_EQ(tensor.input_scale, 0) << name;
  EXPECT_THAT(Describe(*without), Not(HasSubstr("scales are stored with ")));
}

// With a shortlist, Marian's name for the output's GEMM is "none".
TEST(MarianTest, ReadsTheOutputsInputScaleByEitherName) {
  const std::string folder = CopyOf("bergamot");
  const std::string path = folder + "/model.ende.intgemm.alphas.bin";
  const std::string bin = ReadText(path);
  WriteText(path, Replaced(bin, "Wemb_QuantMultA", "Xemb_QuantMultA"));
  const auto checkpoint = ReadCheckpoint(folder);
  ASSERT_TRUE(checkpoint.ok()) << checkpoint.status();
  EXPECT_EQ(checkpoint->tensors.at("embedding.weight").input_scale, 1 / 18.0F);
}

TEST(MarianTest, RejectsInvalidInputScales) {
  const std::string folder = CopyOf("bergamot");
  const std::string path = folder + "/model.ende.intgemm.alphas.bin";
  const std::string bin = ReadText(path);
  const float multiplier = 22;
  const std::string bytes(reinterpret_cast<const char*>(&multiplier), sizeof(multiplier));
  for (const float wrong : {0.0F, -1.0F, std::numeric_limits<float>::quiet_NaN()}) {
    const std::string wrong_bytes(reinterpret_cast<const char*>(&wrong), sizeof(wrong));
    std::string damaged = bin;
    damaged.replace(bin.rfind(bytes), bytes.size(), wrong_bytes);
    WriteText(path, damaged);
    EXPECT_THAT(Message(ReadCheckpoint(folder)),
                HasSubstr("_QuantMultA\": expected a multiplier above 0, found"));
  }
}

TEST(MarianTest, RejectsADamagedShortlist) {
  const std::string folder = CopyOf("bergamot");
  FlipBit(folder + "/lex.10.4.ende.s2t.bin", 60, 0);
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("s2t.bin: is damaged"));
}

TEST(MarianTest, ReportsSeveralModels) {
  const std::string folder = CopyOf("float32_bin");
  fs::copy(folder + "/model.bin", folder + "/other.bin");
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("give the file instead of the folder"));
  EXPECT_TRUE(ReadCheckpoint(folder + "/other.bin").ok());
}

TEST(MarianTest, RejectsOtherTypesByTheirCode) {
  const std::string folder = CopyOf("float32_bin");
  std::string bin = ReadText(folder + "/model.bin");
  bin[16 + 8] = 0x02;  // of the first tensor: float16 is 0x402
  bin[16 + 9] = 0x04;
  WriteText(folder + "/model.bin", bin);
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("found 0x402"));
}

struct DamageCase {
  const char* model;
  const char* file;
};

class MarianDamageTest : public testing::TestWithParam<DamageCase> {};

// Prefixes of the file are rejected: all that end in the structure, some that end in the numbers.
TEST_P(MarianDamageTest, EveryTruncationIsRejected) {
  const std::string folder = CopyOf(GetParam().model);
  const std::string path = folder + "/" + GetParam().file;
  const auto size = static_cast<size_t>(fs::file_size(path));
  const size_t whole = std::min<size_t>(size, 4096);
  for (size_t left = size - 1;
       left<size; left -= left> whole ? std::min<size_t>(97, left - whole) : 1) {
    fs::resize_file(path, left);
    ASSERT_FALSE(ReadMarian(path).ok()) << left;
  }
}

// A flipped bit gives an error or, among the numbers, another valid checkpoint; never a crash.
TEST_P(MarianDamageTest, FlippedBitsGiveAStatusOrAValidCheckpoint) {
  const std::string folder = CopyOf(GetParam().model);
  const std::string path = folder + "/" + GetParam().file;
  const auto size = static_cast<size_t>(fs::file_size(path));
  std::mt19937 random(7);
  int rejected = 0;
  for (int i = 0; i < 400; ++i) {
    // Half of the flips hit the beginning, where headers are.
    const size_t byte = random() % (i % 2 == 0 ? size : std::min<size_t>(size, 8192));
    const unsigned bit = random() % 8;
    FlipBit(path, byte, bit);
    const auto checkpoint = ReadMarian(path);
    if (checkpoint.ok()) {
      EXPECT_TRUE(BindWeights(checkpoint->config, checkpoint->tensors).ok());
    } else {
      ++rejected;
    }
    FlipBit(path, byte, bit);
  }
  EXPECT_GT(rejected, 20);
}

INSTANTIATE_TEST_SUITE_P(Files, MarianDamageTest,
                         testing::Values(DamageCase{"float32_bin", "model.bin"},
                                         DamageCase{"post_norm", "model.npz"},
                                         DamageCase{"ssru_int8", "model.intgemm8.bin"},
                                         DamageCase{"bergamot", "model.ende.intgemm.alphas.bin"}),
                         [](const auto& param) { return std::string(param.param.model); });

}  // namespace
}  // namespace limpid::internal

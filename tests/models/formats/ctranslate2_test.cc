// Reads models by CTranslate2 (tests/golden/make_ctranslate2_golden.py), intact and damaged.
// tests/engine/ctranslate2_golden_test.cc checks the engine's results with them.

#include "models/formats/ctranslate2.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/io/file.h"
#include "models/model/describe.h"
#include "models/model/weights.h"
#include "models/native/native.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

std::string PathOf(const std::string& model) { return "tests/golden/ctranslate2/" + model; }

Checkpoint Read(const std::string& model) {
  absl::StatusOr<Checkpoint> checkpoint = ReadCheckpoint(PathOf(model));
  EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
  return *std::move(checkpoint);
}

// The files of a model in memory, for each test to change.
class ModelInMemory {
 public:
  explicit ModelInMemory(const std::string& model) {
    for (const std::string& name : FilesIn(PathOf(model))) {
      files_[name] = ReadText(PathOf(model) + "/" + name);
    }
  }

  std::string& operator[](const std::string& name) { return files_[name]; }
  void Remove(const std::string& name) { files_.erase(name); }
  void SetConfig(const std::string& key, const json& value) {
    json config = json::parse(files_["config.json"]);
    config[key] = value;
    files_["config.json"] = config.dump();
  }

  // Inserts a variable, one byte or a vector of one float, into model.bin before all others.
  void AddFlag(const std::string& name, char value) {
    AddVariable(name, std::string("\0\1\1\0\0\0", 6) + value);
  }
  void AddVector(const std::string& name) {
    AddVariable(name, std::string("\1\1\0\0\0\0\4\0\0\0\0\0\0\0", 14));
  }

  absl::StatusOr<Checkpoint> Read() const { return ReadFrom(files_); }
  std::string Error() const { return Message(Read()); }

 private:
  static absl::StatusOr<Checkpoint> ReadFrom(const std::map<std::string, std::string>& files) {
    const auto open = [&](const std::string& name) -> absl::StatusOr<FileBytes> {
      const auto found = files.find(name);
      if (found == files.end()) return absl::NotFoundError(name + " is missing");
      // A copy of exactly the right size, so that a sanitizer sees reads beyond it.
      const auto* begin = reinterpret_cast<const std::byte*>(found->second.data());
      const auto copy =
          std::make_shared<std::vector<std::byte>>(begin, begin + found->second.size());
      return FileBytes{*copy, copy};
    };
    return ReadCTranslate2Files({"place", open});
  }

  // `rest`: rank, dimensions, type, size, data.
  void AddVariable(const std::string& name, const std::string& rest) {
    std::string& binary = files_["model.bin"];
    uint16_t specification = 0;
    std::memcpy(&specification, &binary[4], sizeof(specification));
    const size_t at = 4 + 2 + specification + 4;  // of the number of variables
    ++binary[at];
    const auto length = static_cast<char>(name.size() + 1);
    std::string variable = {length, '\0'};
    variable.append(name).append(1, '\0').append(rest);
    binary.insert(at + 4, variable);
  }

  std::map<std::string, std::string> files_;
};

void ExpectUsable(const Checkpoint& checkpoint) {
  EXPECT_EQ(Message(ValidateConfig(checkpoint.config)), "");
  EXPECT_EQ(Message(BindWeights(checkpoint.config, checkpoint.tensors)), "");
  for (const auto& [name, tensor] : checkpoint.tensors) ReadAll(tensor);
  EXPECT_FALSE(Describe(checkpoint).empty());
}

TEST(CTranslate2Test, ReportsTheFormatVersion) {
  EXPECT_EQ(Read("opennmt").format, "CTranslate2, format version 6");
  EXPECT_EQ(Read("version_2").format, "CTranslate2, format version 2");
}

TEST(CTranslate2Test, MatricesKeepTheirType) {
  const auto type = [](const std::string& model) {
    return Read(model).tensors.at("encoder.layers.0.self_attention.key.weight").dtype;
  };
  EXPECT_EQ(type("opennmt"), DType::kFloat32);
  EXPECT_EQ(type("float16"), DType::kFloat16);
  EXPECT_EQ(type("bfloat16"), DType::kBFloat16);
  EXPECT_EQ(type("int8"), DType::kInt8);
  EXPECT_EQ(type("int16"), DType::kFloat32);
}

// Int8 weights are not requantized for a Limpid folder: their bytes are those in model.bin.
TEST(CTranslate2Test, Int8IsNotRequantized) {
  const std::string binary = ReadText(PathOf("int8") + "/model.bin");
  const std::string folder = FreshPath("native");
  ASSERT_EQ(Message(WriteNative(Read("int8"), folder, DType::kInt8)), "");
  const auto native = ReadNative(folder);
  ASSERT_TRUE(native.ok()) << native.status();
  int matrices = 0;
  for (const auto& [name, tensor] : native->tensors) {
    if (tensor.shape.size() < 2) continue;
    ++matrices;
    EXPECT_EQ(tensor.dtype, DType::kInt8);
    const std::string bytes(reinterpret_cast<const char*>(tensor.data), tensor.bytes());
    EXPECT_NE(binary.find(bytes), std::string::npos) << name;
  }
  EXPECT_EQ(matrices, 17);  // 16 of layers and the one embedding
}

TEST(CTranslate2Test, PositionsAreStoredOrMarians) {
  const ModelConfig implied = Read("opennmt").config;
  EXPECT_EQ(implied.positions, Positions::kSinusoidalMarian);
  EXPECT_EQ(implied.first_position, 1);
  EXPECT_EQ(implied.max_positions, 1024);
  const ModelConfig marian = Read("marian").config;
  EXPECT_EQ(marian.positions, Positions::kSinusoidal);
  EXPECT_EQ(marian.first_position, 0);
  EXPECT_EQ(marian.max_positions, 64);
  const ModelConfig fairseq = Read("version_5").config;
  EXPECT_EQ(fairseq.positions, Positions::kSinusoidalMarian);
  EXPECT_EQ(fairseq.first_position, 2);
  const Checkpoint learned = Read("learned_positions");
  EXPECT_EQ(learned.config.positions, Positions::kLearned);
  EXPECT_THAT(learned.tensors.at("decoder.positions.weight").shape, ElementsAre(30, 16));
}

TEST(CTranslate2Test, AlignmentHeadsComeFromTheConverter) {
  EXPECT_EQ(Read("opennmt").config.alignment_layer, -1);
  const ModelConfig first = Read("float16").config;
  EXPECT_EQ(first.alignment_layer, 0);
  EXPECT_EQ(first.alignment_heads, 2);
  const ModelConfig from_the_end = Read("bfloat16").config;  // layer -2 of 2
  EXPECT_EQ(from_the_end.alignment_layer, 0);
  EXPECT_EQ(from_the_end.alignment_heads, 0);
}

TEST(CTranslate2Test, EqualEmbeddingsAreShared) {
  const ModelConfig shared = Read("version_2").config;  // has no aliases
  EXPECT_TRUE(shared.shared_embeddings && shared.tied_output);
  const ModelConfig apart = Read("opennmt").config;
  EXPECT_FALSE(apart.shared_embeddings || apart.tied_output);
}

TEST(CTranslate2Test, SpecialTokensAreFoundInEachVersion) {
  const Checkpoint opennmt = Read("opennmt");
  EXPECT_EQ(opennmt.config.source_eos_id, -1);
  EXPECT_EQ(opennmt.config.target_eos_id, 2);
  EXPECT_EQ(opennmt.config.decoder_start_id, 1);
  const Checkpoint old = Read("version_5");
  EXPECT_EQ(old.source_vocabulary[old.config.source_eos_id], "[eos]");
  EXPECT_EQ(old.target_vocabulary[old.config.decoder_start_id], "[bos]");
  // MarianMT's tokenizer ends sources with "</s>", and its decoder starts from zeros.
  EXPECT_EQ(Read("marian").config.source_eos_id, 0);
  EXPECT_EQ(Read("marian").config.decoder_start_id, -1);
  ModelInMemory fairseq("opennmt");
  fairseq.SetConfig("add_source_eos", true);
  fairseq.SetConfig("decoder_start_token", "</s>");
  EXPECT_EQ(fairseq.Read()->config.decoder_start_id, 2);
}

TEST(CTranslate2Test, UsesSentencePieceModelsBesideIt) {
  EXPECT_EQ(Read("marian").source_sentencepiece, ReadText("tests/golden/base/source.spm"));
  EXPECT_EQ(Read("opennmt").source_sentencepiece, "");
  const std::string folder = FreshPath("folder");
  std::filesystem::copy(PathOf("opennmt"), folder);
  WriteText(folder + "/sentencepiece.model", "pieces");
  EXPECT_EQ(ReadCheckpoint(folder)->target_sentencepiece, "pieces");
  std::filesystem::rename(folder + "/sentencepiece.model", folder + "/target.spm");
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("has target.spm but no source.spm"));
  WriteText(folder + "/source.spm", "");
  EXPECT_THAT(Message(ReadCheckpoint(folder)), HasSubstr("source.spm: is empty"));
}

TEST(CTranslate2Test, FindsTokenizersByTheirUsualNames) {
  const std::string folder = FreshPath("folder");
  std::filesystem::copy(PathOf("opennmt"), folder);
  EXPECT_THAT(ReadCheckpoint(folder)->tokenizer_names, HasSubstr("spm.model"));
  WriteText(folder + "/source.bpe", "#version: 0.2\na b\n");
  EXPECT_THAT(Message(ReadCheckpoint(folder)),
              HasSubstr("source.bpe: are merges that go with Moses' tokenizer"));
  WriteText(folder + "/spm.model", "both");
  auto found = ReadCheckpoint(folder);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->target_sentencepiece, "both");
  EXPECT_EQ(found->target_tokenizer_path, folder + "/spm.model");
  WriteText(folder + "/source.model", "source");
  WriteText(folder + "/target.model", "target");
  found = ReadCheckpoint(folder);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->source_sentencepiece, "source");
  EXPECT_EQ(found->target_sentencepiece, "target");
}

// As CTranslate2 adds it when reading such a vocabulary.
TEST(CTranslate2Test, AVocabularyWithoutTheUnknownTokenGetsIt) {
  for (const char* name : {"version_1", "version_2_without_unk", "json_without_unk"}) {
    const Checkpoint found = Read(name);
    EXPECT_EQ(found.source_vocabulary.back(), "<unk>") << name;
    EXPECT_EQ(found.config.source_unk_id, found.config.source_vocab_size - 1) << name;
    EXPECT_EQ(found.config.target_unk_id, found.config.target_vocab_size - 1) << name;
  }
}

TEST(CTranslate2Test, ATextVocabularyMayHaveCarriageReturns) {
  ModelInMemory model("version_2");
  std::string& text = model["shared_vocabulary.txt"];
  for (size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) {
    text.insert(at, 1, '\r');
  }
  EXPECT_EQ(model.Read()->source_vocabulary, Read("version_2").source_vocabulary);
  text.erase(text.find('\r'), 1);  // now the other ones are part of their tokens
  EXPECT_THAT(model.Error(), HasSubstr("the special token \"</s>\" is not in the source"));
}

// --- Errors ---

TEST(CTranslate2Test, NamesWhatTheEngineCannotDo) {
  const auto error = [](const std::function<void(ModelInMemory&)>& change) {
    ModelInMemory model("opennmt");
    change(model);
    return model.Error();
  };
  const auto error_of_vector = [&](const std::string& name) {
    return error([&](ModelInMemory& model) { model.AddVector(name); });
  };
  const auto error_of_flag = [&](const std::string& name, char value) {
    return error([&](ModelInMemory& model) { model.AddFlag(name, value); });
  };
  for (const auto& [name, words] : std::map<std::string, std::string>{
           {"encoder/embeddings_1/weight", "source features"},
           {"encoder/layer_0/self_attention/relative_position_keys", "relative positions"},
           {"encoder/layer_0/self_attention/relative_attention_bias", "relative attention biases"},
           {"encoder/layer_0/ffn/linear_0_noact/weight", "gated feed-forward networks"},
           {"encoder/layer_0/ffn/linear_0/weight_zero", "zero points, such as AWQ's"},
           {"decoder/project_in/weight", "projections between embeddings and layers"}}) {
    EXPECT_THAT(error_of_vector(name),
                AllOf(HasSubstr("place/model.bin: variable \"" + name + "\": Limpid has no "),
                      HasSubstr(words)));
  }
  for (const auto& [name, words] : std::map<std::string, std::string>{
           {"decoder/layer_0/self_attention/rotary_dim", "rotary positions"},
           {"decoder/layer_0/self_attention/num_heads_kv", "multi-query"},
           {"decoder/sliding_window", "sliding window"},
           {"decoder/scale_outputs", "scaled outputs"}}) {
    EXPECT_THAT(error_of_flag(name, 1), HasSubstr(words));
    EXPECT_EQ(error_of_flag(name, 0), "") << name;
  }
  EXPECT_THAT(error([](ModelInMemory& model) { model.AddVector("new"); }),
              HasSubstr("tensor \"new\" is not part of a translation model"));
  EXPECT_THAT(error([](ModelInMemory& model) { model.SetConfig("quantization_type", 1); }),
              HasSubstr("Limpid has no AWQ"));
}

TEST(CTranslate2Test, RejectsOtherModelsAndVersions) {
  ModelInMemory model("opennmt");
  std::string& binary = model["model.bin"];
  binary.replace(binary.find("TransformerSpec"), 15, "WhisperSpecific");
  EXPECT_THAT(model.Error(), HasSubstr("specification \"WhisperSpecific\"; Limpid reads"));
  for (const char version : {0, 7}) {
    binary[0] = version;
    EXPECT_THAT(model.Error(), HasSubstr("format version " + std::to_string(version)));
  }
  ModelInMemory old("version_2");
  old["model.bin"][4 + 2 + sizeof("TransformerBase")] = 1;
  EXPECT_EQ(old.Error(), "");  // revision 1 differs in names only
}

TEST(CTranslate2Test, RejectsTokensThatTheEngineCannotAdd) {
  const auto error = [](const std::string& key, const json& value) {
    ModelInMemory model("opennmt");
    model.SetConfig(key, value);
    return model.Error();
  };
  EXPECT_THAT(error("decoder_start_token", nullptr), HasSubstr("that the caller gives"));
  EXPECT_THAT(error("decoder_start_token", "</s>"), HasSubstr("BART, mBART, M2M-100, NLLB"));
  EXPECT_THAT(error("eos_token", "<end>"), HasSubstr("\"<end>\" is not in the target"));
  EXPECT_THAT(error("unk_token", 3), HasSubstr("\"unk_token\": expected a string, found 3"));
  EXPECT_THAT(error("layer_norm_epsilon", 1e300), HasSubstr("expected a number from 0 to 1"));
}

TEST(CTranslate2Test, NamesTheFileThatIsMissingOrInvalid) {
  for (const char* name : {"model.bin", "config.json"}) {
    ModelInMemory model("opennmt");
    model.Remove(name);
    EXPECT_TRUE(absl::IsNotFound(model.Read().status()));
    EXPECT_THAT(model.Error(), HasSubstr(name));
  }
  ModelInMemory model("opennmt");
  model.Remove("target_vocabulary.json");
  EXPECT_THAT(model.Error(), HasSubstr("place: has no target_vocabulary.json and no target_voc"));
  model["target_vocabulary.json"] = R"(["a", 1])";
  EXPECT_THAT(model.Error(),
              HasSubstr("place/target_vocabulary.json: expected a token for id 1, found 1"));
  model["target_vocabulary.json"] = R"(["a"])";
  EXPECT_THAT(model.Error(),
              HasSubstr("expected 27 tokens, as many as embeddings, found 2 with \"<unk>\""));
}

TEST(CTranslate2Test, RejectsModelsTruncatedAtAnyByte) {
  for (const char* name : {"int8", "version_2", "version_3"}) {
    ModelInMemory model(name);
    const std::string binary = model["model.bin"];
    for (size_t size = 0; size < binary.size(); ++size) {
      model["model.bin"] = binary.substr(0, size);
      ASSERT_THAT(model.Error(), HasSubstr("place/model.bin: ")) << size;
    }
    model["model.bin"] = binary + "x";
    EXPECT_THAT(model.Error(), HasSubstr("has 1 bytes after its end"));
  }
}

TEST(CTranslate2Test, FlippedBitsGiveAStatusOrAValidCheckpoint) {
  std::mt19937 random(4);
  int rejected = 0;
  for (const char* name :
       {"int8", "bfloat16", "version_1", "version_2", "version_3", "version_5"}) {
    ModelInMemory model(name);
    std::string& binary = model["model.bin"];
    // Every bit of the first 150 bytes, which hold counts and sizes, and many others.
    for (size_t i = 0; i < 4000; ++i) {
      const size_t bit = i < size_t{150} * 8 ? i : random() % (binary.size() * 8);
      const auto mask = static_cast<char>(1U << (bit % 8));
      binary[bit / 8] = static_cast<char>(binary[bit / 8] ^ mask);
      const absl::StatusOr<Checkpoint> found = model.Read();
      binary[bit / 8] = static_cast<char>(binary[bit / 8] ^ mask);
      if (found.ok()) {
        ExpectUsable(*found);
      } else {
        ++rejected;
      }
    }
    EXPECT_EQ(model.Error(), "");
  }
  EXPECT_GT(rejected, 2000);
}

}  // namespace
}  // namespace limpid::internal

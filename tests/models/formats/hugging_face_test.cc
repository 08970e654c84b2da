#include <cmath>
#include <filesystem>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/formats/formats.h"
#include "models/model/checkpoint.h"
#include "models/model/convert_tensor.h"
#include "models/model/weights.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ElementsAre;
using testing::HasSubstr;

class HuggingFaceTest : public testing::Test {
 protected:
  // The checkpoint, which must be readable.
  Checkpoint Read() {
    auto checkpoint = folder_.Read();
    EXPECT_TRUE(checkpoint.ok()) << checkpoint.status();
    return checkpoint.ok() ? *checkpoint : Checkpoint();
  }

  std::string Error() { return Message(folder_.Read()); }

  std::string ErrorWith(const std::string& key, const json& value) {
    MarianFolder folder = folder_;
    folder.config[key] = value;
    return Message(folder.Read());
  }

  void Rename(const std::string& from, const std::string& to) {
    auto node = folder_.tensors.views.extract(from);
    node.key() = to;
    folder_.tensors.views.insert(std::move(node));
  }

  void Copy(const std::string& from, const std::string& to) {
    folder_.tensors.views[to] = folder_.tensors.views.at(from);
  }

  // Gives each side an embedding of its own; the target side has one piece more.
  void SeparateEmbeddings() {
    folder_.config["share_encoder_decoder_embeddings"] = false;
    folder_.config["decoder_vocab_size"] = kMarianVocab + 1;
    Rename("model.shared.weight", "model.encoder.embed_tokens.weight");
    folder_.Add("model.decoder.embed_tokens.weight", {kMarianVocab + 1, kMarianDim});
    folder_.Add("final_logits_bias", {1, kMarianVocab + 1});
    folder_.target_vocabulary = {{"<unk>", 0}, {"</s>", 1},  {"x", 2},
                                 {"y", 3},     {"<pad>", 4}, {"z", 5}};
    folder_.tokenizer_config["separate_vocabs"] = true;
    folder_.config["eos_token_id"] = 1;
  }

  void SetPositions(const std::string& side, float off) {
    std::vector<float> values(kMarianPositions * kMarianDim);
    for (int p = 0; p < kMarianPositions; ++p) {
      for (int i = 0; i < kMarianDim / 2; ++i) {
        const double angle = p * std::pow(10000.0, -2.0 * i / kMarianDim);
        values[p * kMarianDim + i] = static_cast<float>(std::sin(angle)) + off;
        values[p * kMarianDim + kMarianDim / 2 + i] = static_cast<float>(std::cos(angle)) + off;
      }
    }
    folder_.tensors.Set("model." + side + ".embed_positions.weight", {kMarianPositions, kMarianDim},
                        values);
  }

  MarianFolder folder_ = SmallMarianFolder();
};

// --- Config ---

TEST_F(HuggingFaceTest, ReadsTheConfig) {
  const Checkpoint checkpoint = Read();
  EXPECT_EQ(checkpoint.format, "Hugging Face MarianMT");
  const ModelConfig expected = {.model_dim = 4,
                                .encoder_layers = 2,
                                .decoder_layers = 1,
                                .encoder_heads = 2,
                                .decoder_heads = 1,
                                .encoder_ffn_dim = 6,
                                .decoder_ffn_dim = 6,
                                .source_vocab_size = 5,
                                .target_vocab_size = 5,
                                .embedding_scale = 2,
                                .activation = Activation::kSwish,
                                .max_positions = 8,
                                .max_source_tokens = 8,
                                .decoder_start_id = 4,
                                .bad_words = {4},
                                .source_language = "eng",
                                .target_language = "deu",
                                .tokenizer = std::nullopt};
  EXPECT_EQ(checkpoint.config, expected);
}

TEST_F(HuggingFaceTest, TakesTheDefaultsOfTransformers) {
  for (const char* key : {"activation_function", "scale_embedding", "max_position_embeddings",
                          "eos_token_id", "pad_token_id"}) {
    folder_.config.erase(key);
  }
  const ModelConfig config = Read().config;
  EXPECT_EQ(config.activation, Activation::kGelu);
  EXPECT_EQ(config.embedding_scale, 1);
  EXPECT_EQ(config.max_positions, 1024);
  EXPECT_EQ(config.target_eos_id, 0);
  EXPECT_THAT(config.bad_words, ElementsAre());
  EXPECT_TRUE(config.shared_embeddings);
  EXPECT_TRUE(config.tied_output);
}

TEST_F(HuggingFaceTest, TheTokenizersLimitBoundsTheSource) {
  folder_.tokenizer_config["model_max_length"] = 6;
  EXPECT_EQ(Read().config.max_source_tokens, 6);
  for (const nlohmann::json& none :
       {nlohmann::json(1e30), nlohmann::json(512), nlohmann::json(-1)}) {
    folder_.tokenizer_config["model_max_length"] = none;
    EXPECT_EQ(Read().config.max_source_tokens, 8);
  }
}

TEST_F(HuggingFaceTest, OtherKeysAreRequired) {
  for (const char* key : {"d_model", "vocab_size", "encoder_layers", "decoder_attention_heads",
                          "encoder_ffn_dim", "decoder_start_token_id"}) {
    MarianFolder folder = folder_;
    folder.config.erase(key);
    EXPECT_THAT(Message(folder.Read()),
                HasSubstr("config.json: the key \"" + std::string(key) + "\" is missing"));
  }
}

TEST_F(HuggingFaceTest, RejectsWrongTypes) {
  EXPECT_THAT(ErrorWith("d_model", "4"),
              HasSubstr("config.json: \"d_model\": expected a whole number, found \"4\""));
  EXPECT_THAT(ErrorWith("scale_embedding", 1), HasSubstr("expected true or false, found 1"));
  EXPECT_THAT(ErrorWith("activation_function", 1), HasSubstr("expected a string, found 1"));
  EXPECT_THAT(ErrorWith("encoder_attention_heads", 3), HasSubstr("3 heads do not divide"));
}

TEST_F(HuggingFaceTest, KnowsActivationsByTheirNames) {
  for (const auto& [name, activation] :
       {std::pair{"relu", Activation::kRelu}, std::pair{"gelu", Activation::kGelu},
        std::pair{"gelu_new", Activation::kGeluTanh},
        std::pair{"gelu_pytorch_tanh", Activation::kGeluTanh},
        std::pair{"quick_gelu", Activation::kGeluSigmoid}, std::pair{"silu", Activation::kSwish},
        std::pair{"swish", Activation::kSwish}}) {
    folder_.config["activation_function"] = name;
    EXPECT_EQ(Read().config.activation, activation) << name;
  }
  EXPECT_THAT(ErrorWith("activation_function", "mish"), HasSubstr("Limpid has no \"mish\""));
}

TEST_F(HuggingFaceTest, RejectsOtherModelsByName) {
  EXPECT_THAT(ErrorWith("model_type", "t5"),
              HasSubstr("of Hugging Face models Limpid reads \"marian\", found \"t5\""));
}

TEST_F(HuggingFaceTest, NormsAreWhereTheConfigSays) {
  folder_.config["normalize_before"] = true;
  folder_.config["normalize_embedding"] = true;
  folder_.config["add_final_layer_norm"] = true;
  EXPECT_THAT(Error(), HasSubstr("\"model.encoder.layernorm_embedding.weight\" is missing"));
  for (const std::string side : {"model.encoder", "model.decoder"}) {
    folder_.AddNorm(side + ".layernorm_embedding", kMarianDim);
    folder_.AddNorm(side + ".layer_norm", kMarianDim);
  }
  const Checkpoint checkpoint = Read();
  EXPECT_EQ(checkpoint.config.norm_order, NormOrder::kPre);
  EXPECT_TRUE(checkpoint.config.embedding_norm);
  EXPECT_TRUE(checkpoint.config.final_norm);
  EXPECT_EQ(ReadAll(checkpoint.tensors.at("decoder.final_norm.scale")),
            ReadAll(folder_.tensors.views.at("model.decoder.layer_norm.weight")));
}

TEST_F(HuggingFaceTest, ReadsTheAlignmentHead) {
  folder_.config["alignment_layer"] = 0;
  folder_.config["alignment_heads"] = 1;
  EXPECT_EQ(Read().config.alignment_layer, 0);
  EXPECT_EQ(Read().config.alignment_heads, 1);
}

// --- Special tokens ---

TEST_F(HuggingFaceTest, PaddingAndBadWordsAreNeverProduced) {
  folder_.config["bad_words_ids"] = {{4}, {2}, {0}};
  // The end of sentence is dropped, as in generate().
  EXPECT_THAT(Read().config.bad_words, ElementsAre(2, 4));
}

TEST_F(HuggingFaceTest, RejectsBadWordsThatAreSequences) {
  EXPECT_THAT(ErrorWith("bad_words_ids", {{2, 3}}), HasSubstr("Limpid cannot forbid sequences"));
  EXPECT_THAT(ErrorWith("bad_words_ids", {2}), HasSubstr("arrays of one id each"));
  EXPECT_THAT(ErrorWith("bad_words_ids", "x"), HasSubstr("\"bad_words_ids\": expected an array"));
  EXPECT_THAT(ErrorWith("bad_words_ids", {{5}}), HasSubstr("\"bad_words\": expected"));
}

TEST_F(HuggingFaceTest, GenerationConfigTakesPrecedence) {
  folder_.generation_config = {{"bad_words_ids", {{2}}}, {"decoder_start_token_id", 3}};
  const ModelConfig config = Read().config;
  EXPECT_THAT(config.bad_words, ElementsAre(2, 4));
  EXPECT_EQ(config.decoder_start_id, 3);
}

TEST_F(HuggingFaceTest, SpecialTokensAreLookedUpInTheVocabulary) {
  folder_.vocabulary = {{"<a>", 3}, {"<b>", 2}, {"x", 0}, {"y", 1}, {"<pad>", 4}};
  folder_.tokenizer_config["eos_token"] = "<a>";
  folder_.tokenizer_config["unk_token"] = {{"content", "<b>"}, {"lstrip", false}};
  folder_.config["eos_token_id"] = {3};
  const ModelConfig config = Read().config;
  EXPECT_EQ(config.source_eos_id, 3);
  EXPECT_EQ(config.source_unk_id, 2);
  EXPECT_EQ(config.target_eos_id, 3);
  EXPECT_EQ(config.target_unk_id, 2);
}

TEST_F(HuggingFaceTest, RejectsSpecialTokensThatAreMissing) {
  folder_.tokenizer_config["unk_token"] = "<?>";
  EXPECT_THAT(Error(), HasSubstr("the special token \"<?>\" is not in the vocabulary"));
  EXPECT_THAT(ErrorWith("eos_token_id", {0, 1}), HasSubstr("expected a whole number"));
}

// --- Vocabularies ---

TEST_F(HuggingFaceTest, PiecesAreInIdOrder) {
  const Checkpoint checkpoint = Read();
  EXPECT_THAT(checkpoint.source_vocabulary, ElementsAre("</s>", "<unk>", "▁a", "ü", "<pad>"));
  EXPECT_EQ(checkpoint.target_vocabulary, checkpoint.source_vocabulary);
  EXPECT_EQ(checkpoint.source_sentencepiece, "source pieces");
  EXPECT_EQ(checkpoint.target_sentencepiece, "target pieces");
}

TEST_F(HuggingFaceTest, SidesMayHaveVocabulariesOfTheirOwn) {
  SeparateEmbeddings();
  const Checkpoint checkpoint = Read();
  EXPECT_FALSE(checkpoint.config.shared_embeddings);
  EXPECT_EQ(checkpoint.config.target_vocab_size, kMarianVocab + 1);
  EXPECT_EQ(checkpoint.source_vocabulary[0], "</s>");
  EXPECT_EQ(checkpoint.target_vocabulary[0], "<unk>");
  EXPECT_EQ(checkpoint.config.source_eos_id, 0);
  EXPECT_EQ(checkpoint.config.target_eos_id, 1);
  EXPECT_EQ(checkpoint.config.source_unk_id, 1);
  EXPECT_EQ(checkpoint.config.target_unk_id, 0);
  EXPECT_EQ(ReadAll(checkpoint.tensors.at("decoder.embedding.weight")),
            ReadAll(folder_.tensors.views.at("model.decoder.embed_tokens.weight")));

  // Older folders lack the key; the file is enough.
  folder_.tokenizer_config.erase("separate_vocabs");
  EXPECT_EQ(Read().target_vocabulary[0], "<unk>");
}

TEST_F(HuggingFaceTest, RejectsMalformedVocabularies) {
  const auto error = [&](const json& vocabulary) {
    MarianFolder folder = folder_;
    folder.vocabulary = vocabulary;
    return Message(folder.Read());
  };
  json other = folder_.vocabulary;
  other["x"] = 5;
  EXPECT_THAT(error(other), HasSubstr("vocab.json: piece \"x\": expected an id from 0 to 4 as "
                                      "config.json says, found 5"));
  other["x"] = -1;
  EXPECT_THAT(error(other), HasSubstr("piece \"x\": expected an id from 0 to 4"));
  other["x"] = "3";
  EXPECT_THAT(error(other), HasSubstr("piece \"x\": expected an id from 0 to 4"));
  other["x"] = 3;
  EXPECT_THAT(error(other), HasSubstr("pieces \"x\" and \"ü\" both have id 3"));
  other = folder_.vocabulary;
  other.erase("▁a");
  EXPECT_THAT(error(other), HasSubstr("a piece for each of 5 ids as config.json says, found 4; "
                                      "the first id without one is 2"));
  EXPECT_THAT(error({"a", "b"}), HasSubstr("vocab.json: expected a JSON object"));
}

// --- Tensors ---

TEST_F(HuggingFaceTest, EachTensorGetsItsName) {
  const Checkpoint checkpoint = Read();
  EXPECT_EQ(Message(BindWeights(checkpoint.config, checkpoint.tensors)), "");
  EXPECT_EQ(checkpoint.tensors.size(), folder_.tensors.views.size());
  for (const auto& [theirs, ours] : {
           std::pair{"model.shared.weight", "embedding.weight"},
           std::pair{"final_logits_bias", "output.bias"},
           std::pair{"model.encoder.layers.1.self_attn.q_proj.weight",
                     "encoder.layers.1.self_attention.query.weight"},
           std::pair{"model.encoder.layers.1.self_attn.k_proj.bias",
                     "encoder.layers.1.self_attention.key.bias"},
           std::pair{"model.encoder.layers.0.self_attn_layer_norm.weight",
                     "encoder.layers.0.self_attention_norm.scale"},
           std::pair{"model.encoder.layers.0.fc1.weight",
                     "encoder.layers.0.feed_forward.hidden.weight"},
           std::pair{"model.decoder.layers.0.fc2.bias",
                     "decoder.layers.0.feed_forward.output.bias"},
           std::pair{"model.decoder.layers.0.final_layer_norm.bias",
                     "decoder.layers.0.feed_forward_norm.bias"},
           std::pair{"model.decoder.layers.0.self_attn.v_proj.weight",
                     "decoder.layers.0.self_attention.value.weight"},
           std::pair{"model.decoder.layers.0.encoder_attn.out_proj.weight",
                     "decoder.layers.0.cross_attention.output.weight"},
           std::pair{"model.decoder.layers.0.encoder_attn_layer_norm.bias",
                     "decoder.layers.0.cross_attention_norm.bias"},
       }) {
    EXPECT_EQ(ReadAll(checkpoint.tensors.at(ours)), ReadAll(folder_.tensors.views.at(theirs)))
        << theirs;
  }
}

TEST_F(HuggingFaceTest, EveryTensorIsRequiredByItsOwnName) {
  const TensorMap all = folder_.tensors.views;
  for (const auto& [name, tensor] : all) {
    if (name == "final_logits_bias") continue;
    folder_.tensors.views = all;
    folder_.tensors.views.erase(name);
    EXPECT_THAT(Error(), HasSubstr("model.safetensors: tensor \"" + name + "\" is missing"));
  }
}

TEST_F(HuggingFaceTest, WithoutLogitsBiasItIsZero) {
  folder_.tensors.views.erase("final_logits_bias");
  EXPECT_THAT(ReadAll(Read().tensors.at("output.bias")), ElementsAre(0, 0, 0, 0, 0));
}

TEST_F(HuggingFaceTest, RejectsShapesThatDoNotFit) {
  folder_.Add("model.encoder.layers.0.fc1.weight", {kMarianDim, kMarianFfnDim});
  EXPECT_THAT(Error(), HasSubstr("tensor \"encoder.layers.0.feed_forward.hidden.weight\" has "
                                 "shape [4, 6]; the config asks for [6, 4]"));
  folder_.Add("final_logits_bias", {kMarianVocab, 1});
  EXPECT_THAT(Error(), HasSubstr("\"output.bias\" has shape [5, 1]; the config asks for [5]"));
}

TEST_F(HuggingFaceTest, RejectsLeftoverTensorsByName) {
  folder_.Add("model.encoder.layers.2.fc1.bias", {6});
  EXPECT_THAT(Error(), HasSubstr("tensor \"model.encoder.layers.2.fc1.bias\" is not part of "
                                 "a MarianMT model with this config"));
}

TEST_F(HuggingFaceTest, SixteenBitMatricesStayAndVectorsBecomeFloat32) {
  for (DType dtype : {DType::kFloat16, DType::kBFloat16}) {
    for (auto& [name, tensor] : folder_.tensors.views) {
      ASSERT_EQ(Message(ConvertTensor(dtype, tensor, folder_.tensors.storage)), "");
    }
    const Checkpoint checkpoint = Read();
    EXPECT_EQ(checkpoint.tensors.at("embedding.weight").dtype, dtype);
    const TensorView& bias = checkpoint.tensors.at("output.bias");
    EXPECT_EQ(bias.dtype, DType::kFloat32);
    EXPECT_EQ(ReadAll(bias), ReadAll(folder_.tensors.views.at("final_logits_bias")));
  }
}

TEST_F(HuggingFaceTest, AnUntiedOutputHasItsOwnWeights) {
  folder_.config["tie_word_embeddings"] = false;
  EXPECT_THAT(Error(), HasSubstr("tensor \"lm_head.weight\" is missing"));
  folder_.Add("lm_head.weight", {kMarianVocab, kMarianDim});
  const Checkpoint checkpoint = Read();
  EXPECT_FALSE(checkpoint.config.tied_output);
  EXPECT_EQ(ReadAll(checkpoint.tensors.at("output.weight")),
            ReadAll(folder_.tensors.views.at("lm_head.weight")));
}

TEST_F(HuggingFaceTest, OneEmbeddingMayBeSavedUnderAnyOfItsNames) {
  const std::vector<float> embedding = ReadAll(folder_.tensors.views.at("model.shared.weight"));
  Copy("model.shared.weight", "lm_head.weight");
  Copy("model.shared.weight", "model.encoder.embed_tokens.weight");
  EXPECT_EQ(ReadAll(Read().tensors.at("embedding.weight")), embedding);
  folder_.tensors.views.erase("model.shared.weight");
  folder_.tensors.views.erase("lm_head.weight");
  EXPECT_EQ(ReadAll(Read().tensors.at("embedding.weight")), embedding);
}

TEST_F(HuggingFaceTest, RejectsTiedTensorsThatDiffer) {
  folder_.Add("lm_head.weight", {kMarianVocab, kMarianDim});
  EXPECT_THAT(Error(), HasSubstr("tensors \"model.shared.weight\" and \"lm_head.weight\" differ, "
                                 "though the config says that they are one tensor"));
}

TEST_F(HuggingFaceTest, SavedSinusoidsAreRecognized) {
  SetPositions("encoder", 0.5e-4F);
  SetPositions("decoder", 0);
  EXPECT_EQ(Read().config.positions, Positions::kSinusoidal);
  for (const char* side : {"encoder", "decoder"}) {
    const std::string name = std::string("model.") + side + ".embed_positions.weight";
    TensorView& table = folder_.tensors.views.at(name);
    ASSERT_EQ(Message(ConvertTensor(DType::kBFloat16, table, folder_.tensors.storage)), "");
  }
  EXPECT_EQ(Read().config.positions, Positions::kSinusoidal);
}

TEST_F(HuggingFaceTest, OtherSavedPositionsAreLearned) {
  SetPositions("encoder", 0);
  SetPositions("decoder", 2e-4F);
  const Checkpoint checkpoint = Read();
  EXPECT_EQ(checkpoint.config.positions, Positions::kLearned);
  EXPECT_EQ(ReadAll(checkpoint.tensors.at("decoder.positions.weight")),
            ReadAll(folder_.tensors.views.at("model.decoder.embed_positions.weight")));
  folder_.tensors.views.erase("model.encoder.embed_positions.weight");
  EXPECT_THAT(Error(), HasSubstr("\"model.encoder.embed_positions.weight\" is missing"));
}

TEST_F(HuggingFaceTest, RejectsSavedPositionsOfAnotherSize) {
  folder_.Add("model.encoder.embed_positions.weight", {kMarianPositions + 1, kMarianDim});
  folder_.Add("model.decoder.embed_positions.weight", {kMarianPositions, kMarianDim});
  EXPECT_THAT(Error(), HasSubstr("\"encoder.positions.weight\" has shape [9, 4]"));
}

// --- Files ---

TEST_F(HuggingFaceTest, NamesMissingFiles) {
  const std::string folder = folder_.Write();
  for (const std::string file : {"config.json", "vocab.json", "source.spm", "target.spm"}) {
    fs::rename(folder + "/" + file, folder + "/away");
    const auto found = ReadHuggingFace(folder);
    EXPECT_TRUE(absl::IsNotFound(found.status())) << file;
    EXPECT_THAT(Message(found), HasSubstr(folder + "/" + file + ": cannot open"));
    fs::rename(folder + "/away", folder + "/" + file);
  }
  fs::remove(folder + "/tokenizer_config.json");
  EXPECT_EQ(Message(ReadHuggingFace(folder)), "");
}

TEST_F(HuggingFaceTest, RejectsAnEmptySentencePieceModel) {
  folder_.target_sentencepiece = "";
  EXPECT_THAT(Error(), HasSubstr("target.spm: is empty"));
}

// tests/golden/pytorch_zip is such a model, for the engine's golden test.
TEST_F(HuggingFaceTest, ReadsPyTorchFilesWithoutSafetensors) {
  const std::string folder = folder_.Write();
  fs::copy_file("tests/golden/torch_files/training.pt", folder + "/pytorch_model.bin");
  EXPECT_EQ(Message(ReadHuggingFace(folder)), "");
  fs::remove(folder + "/model.safetensors");
  EXPECT_THAT(Message(ReadHuggingFace(folder)),
              HasSubstr("/pytorch_model.bin: tensor \"model.shared.weight\" is missing"));
  fs::remove(folder + "/pytorch_model.bin");
  EXPECT_THAT(Message(ReadHuggingFace(folder)), HasSubstr("/model.safetensors: cannot open"));
  WriteText(folder + "/model.safetensors.index.json", "{}");
  EXPECT_THAT(Message(ReadHuggingFace(folder)),
              HasSubstr("model.safetensors.index.json: expected an object \"weight_map\""));
}

// Large models are split among several files, with an index.
TEST_F(HuggingFaceTest, WeightsMayBeSplitAmongFiles) {
  const std::string folder = folder_.Write();
  const auto whole = ReadHuggingFace(folder);
  ASSERT_TRUE(whole.ok()) << whole.status();
  fs::remove(folder + "/model.safetensors");
  TensorMap parts[2];
  json map;
  for (const auto& [name, tensor] : folder_.tensors.views) {
    const size_t part = name < "model.decoder.layers.0.fc" ? 0 : 1;
    parts[part][name] = tensor;
    map[name] = "model-0000" + std::to_string(part + 1) + "-of-00002.safetensors";
  }
  for (size_t i = 0; i < 2; ++i) {
    ASSERT_EQ(Message(WriteSafetensors(
                  folder + "/model-0000" + std::to_string(i + 1) + "-of-00002.safetensors",
                  parts[i], {})),
              "");
  }
  WriteText(folder + "/model.safetensors.index.json", json{{"weight_map", map}}.dump());
  const auto found = ReadHuggingFace(folder);
  ASSERT_TRUE(found.ok()) << found.status();
  ASSERT_EQ(found->tensors.size(), whole->tensors.size());
  for (const auto& [name, tensor] : whole->tensors) {
    EXPECT_EQ(ReadAll(found->tensors.at(name)), ReadAll(tensor)) << name;
  }
  map["final_logits_bias"] = "../model.safetensors";
  WriteText(folder + "/model.safetensors.index.json", json{{"weight_map", map}}.dump());
  EXPECT_THAT(Message(ReadHuggingFace(folder)), HasSubstr("expected the name of a file beside"));
  map["final_logits_bias"] = "model-00003-of-00003.safetensors";
  WriteText(folder + "/model.safetensors.index.json", json{{"weight_map", map}}.dump());
  EXPECT_THAT(Message(ReadHuggingFace(folder)),
              HasSubstr("model-00003-of-00003.safetensors: cannot"));
}

TEST_F(HuggingFaceTest, AnIndexOfPyTorchFilesIsRead) {
  const std::string folder = folder_.Write();
  fs::remove(folder + "/model.safetensors");
  fs::copy_file("tests/golden/torch_files/training.pt", folder + "/part.bin");
  WriteText(folder + "/pytorch_model.bin.index.json",
            json{{"weight_map", {{"model.shared.weight", "part.bin"}}}}.dump());
  EXPECT_THAT(Message(ReadHuggingFace(folder)),
              HasSubstr("index.json: tensor \"model.shared.weight\" is missing"));
}

// Added tokens are pieces like others, with rows in the embedding.
TEST_F(HuggingFaceTest, AddedTokensFillGapsInTheVocabulary) {
  folder_.vocabulary.erase("ü");
  const std::string folder = folder_.Write();
  EXPECT_THAT(Message(ReadHuggingFace(folder)), HasSubstr("the first id without one is 3"));
  WriteText(folder + "/added_tokens.json", json{{"<new>", 3}, {"<pad>", 4}}.dump());
  auto found = ReadHuggingFace(folder);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->source_vocabulary[3], "<new>");
  fs::remove(folder + "/added_tokens.json");
  json config = folder_.tokenizer_config;
  config["added_tokens_decoder"] = {{"3", {{"content", "<newer>"}}}};
  WriteText(folder + "/tokenizer_config.json", config.dump());
  found = ReadHuggingFace(folder);
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->target_vocabulary[3], "<newer>");
}

TEST_F(HuggingFaceTest, RejectsTruncatedFiles) {
  const std::string folder = folder_.Write();
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.json", "tokenizer_config.json"}) {
    const std::string path = folder + "/" + file;
    const std::string whole = ReadText(path);
    for (size_t size = 0; size < whole.size(); size += size < 2000 ? 1 : 17) {
      WriteText(path, whole.substr(0, size));
      ASSERT_THAT(Message(ReadHuggingFace(folder)), HasSubstr(file)) << size;
    }
    WriteText(path, whole);
  }
  EXPECT_EQ(Message(ReadHuggingFace(folder)), "");
}

TEST_F(HuggingFaceTest, FlippedBitsGiveAStatusOrAValidCheckpoint) {
  const std::string folder = folder_.Write();
  std::mt19937 random(3);
  for (const char* file :
       {"config.json", "model.safetensors", "vocab.json", "tokenizer_config.json"}) {
    const std::string path = folder + "/" + file;
    const size_t size = fs::file_size(path);
    for (int i = 0; i < 200; ++i) {
      const size_t byte = random() % size;
      const auto bit = static_cast<unsigned>(random() % 8);
      FlipBit(path, byte, bit);
      const auto found = ReadHuggingFace(folder);
      FlipBit(path, byte, bit);
      if (!found.ok()) {
        EXPECT_THAT(Message(found), HasSubstr(folder));
        continue;
      }
      EXPECT_EQ(Message(ValidateConfig(found->config)), "");
      EXPECT_EQ(Message(BindWeights(found->config, found->tensors)), "");
    }
  }
  EXPECT_EQ(Message(ReadHuggingFace(folder)), "");
}

}  // namespace
}  // namespace limpid::internal

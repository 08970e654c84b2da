#include "models/model/config.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// A config in which each field differs from its default.
ModelConfig UnusualConfig() {
  return {.model_dim = 24,
          .encoder_layers = 3,
          .decoder_layers = 2,
          .encoder_heads = 1,
          .decoder_heads = 4,
          .encoder_ffn_dim = 7,
          .decoder_ffn_dim = 9,
          .source_vocab_size = 100,
          .target_vocab_size = 50,
          .shared_embeddings = false,
          .tied_output = false,
          .embedding_scale = std::sqrt(24.0F),
          .decoder_self_attention = DecoderSelfAttention::kSsruWithOutput,
          .activation = Activation::kGeluTanh,
          .norm_order = NormOrder::kPre,
          .layer_norm_epsilon = 1e-6F,
          .embedding_norm = true,
          .final_norm = true,
          .positions = Positions::kSinusoidalMarian,
          .first_position = 1,
          .max_positions = 60,
          .max_source_tokens = 50,
          .source_bos_id = 97,
          .source_eos_id = 99,
          .source_unk_id = 98,
          .target_eos_id = 49,
          .target_unk_id = 48,
          .decoder_start_id = 47,
          .bad_words = {3, 2},
          .alignment_layer = 1,
          .alignment_heads = 4,
          .alignment_input_layer = 1,
          .alignment_input_head = 3,
          .source_language = "ü\"\\",
          .target_language = "deu",
          .tokenizer = TokenizerKind::kMosesSubwordNmt};
}

// ParseConfig's error for UnusualConfig() with one key set to another value.
std::string Error(const std::string& key, const json& value) {
  json document = json::parse(FormatConfig(UnusualConfig()));
  document[key] = value;
  return Message(ParseConfig(document.dump()));
}

std::string Error(const std::function<void(ModelConfig&)>& change) {
  ModelConfig config = UnusualConfig();
  change(config);
  return Message(ValidateConfig(config));
}

TEST(ConfigTest, EveryFieldRoundTrips) {
  const auto config = ParseConfig(FormatConfig(UnusualConfig()));
  ASSERT_TRUE(config.ok()) << config.status();
  EXPECT_EQ(*config, UnusualConfig());
}

TEST(ConfigTest, EveryNameRoundTrips) {
  ModelConfig config = UnusualConfig();
  config.first_position = 0;
  for (Activation activation : {Activation::kRelu, Activation::kGelu, Activation::kGeluTanh,
                                Activation::kGeluSigmoid, Activation::kSwish}) {
    for (Positions positions :
         {Positions::kSinusoidal, Positions::kSinusoidalMarian, Positions::kLearned}) {
      config.activation = activation;
      config.positions = positions;
      EXPECT_EQ(*ParseConfig(FormatConfig(config)), config);
    }
  }
}

TEST(ConfigTest, FloatsAreShortAndExact) {
  ModelConfig config = UnusualConfig();
  EXPECT_THAT(FormatConfig(config), HasSubstr("\"layer_norm_epsilon\": 1e-06,"));
  for (float value : {0.1F, 1.0F / 3, 22.627417F, std::numeric_limits<float>::denorm_min(),
                      std::numeric_limits<float>::max()}) {
    config.embedding_scale = value;
    EXPECT_EQ(ParseConfig(FormatConfig(config))->embedding_scale, value);
  }
}

// Folders of older versions lack it.
TEST(ConfigTest, TheTokenizerMayBeMissing) {
  ModelConfig config = UnusualConfig();
  config.tokenizer.reset();
  EXPECT_THAT(FormatConfig(config), testing::Not(HasSubstr("tokenizer")));
  EXPECT_EQ(ParseConfig(FormatConfig(config))->tokenizer, std::nullopt);
  for (TokenizerKind kind : {TokenizerKind::kSpaces, TokenizerKind::kSentencePiece,
                             TokenizerKind::kSentencePiecePerSide}) {
    config.tokenizer = kind;
    EXPECT_EQ(ParseConfig(FormatConfig(config))->tokenizer, kind);
  }
}

TEST(ConfigTest, EveryOtherKeyIsRequired) {
  json document = json::parse(FormatConfig(UnusualConfig()));
  document.erase("tokenizer");
  for (const auto& [key, value] : document.items()) {
    json without = document;
    without.erase(key);
    EXPECT_THAT(Message(ParseConfig(without.dump())),
                HasSubstr("the key \"" + key + "\" is missing"));
  }
}

TEST(ConfigTest, RejectsUnknownKeys) {
  EXPECT_THAT(Error("model_dims", 24), HasSubstr("the key \"model_dims\" is unknown"));
}

TEST(ConfigTest, RejectsOtherFormats) {
  EXPECT_THAT(Error("limpid_format", 2), HasSubstr("this program reads format 1, found 2"));
  EXPECT_THAT(Error("limpid_format", "1"), HasSubstr("this program reads format 1, found \"1\""));
}

TEST(ConfigTest, RejectsWrongTypesNamingKeyExpectedAndFound) {
  EXPECT_THAT(Error("model_dim", "24"),
              HasSubstr("\"model_dim\": expected a whole number, found \"24\""));
  EXPECT_THAT(Error("model_dim", 24.0), HasSubstr("expected a whole number, found 24.0"));
  EXPECT_THAT(Error("model_dim", 1e300), HasSubstr("expected a whole number, found 1e+300"));
  EXPECT_THAT(Error("model_dim", 4294967320), HasSubstr("expected a whole number"));
  EXPECT_THAT(Error("tied_output", 1), HasSubstr("\"tied_output\": expected true or false"));
  EXPECT_THAT(Error("embedding_scale", true), HasSubstr("expected a number, found true"));
  EXPECT_THAT(Error("embedding_scale", 1e300), HasSubstr("expected a number, found 1e+300"));
  EXPECT_THAT(Error("source_language", nullptr), HasSubstr("expected a string, found null"));
  EXPECT_THAT(Error("bad_words", {1, "2"}), HasSubstr("expected an array of ids"));
  EXPECT_THAT(Error("bad_words", 3), HasSubstr("expected an array of ids, found 3"));
  EXPECT_THAT(Error("norm_order", "middle"),
              HasSubstr("\"norm_order\": expected \"post\" or \"pre\", found \"middle\""));
  EXPECT_THAT(Error("activation", "tanh"), HasSubstr("expected \"relu\" or \"gelu\" or"));
  EXPECT_THAT(Error("tokenizer", "words"), HasSubstr("\"tokenizer\": expected \"spaces\" or"));
  EXPECT_THAT(Error("positions", 1), HasSubstr("expected \"sinusoidal\" or"));
}

TEST(ConfigTest, RejectsTextThatIsNotAnObject) {
  EXPECT_THAT(Message(ParseConfig("")), HasSubstr("is not valid JSON"));
  EXPECT_THAT(Message(ParseConfig("[]")), HasSubstr("expected a JSON object"));
}

TEST(ConfigTest, RejectsSizesOutOfRange) {
  const std::string size = "expected a whole number from 1 to 1048576, found ";
  for (const char* key : {"model_dim", "encoder_heads", "decoder_heads", "encoder_ffn_dim",
                          "decoder_ffn_dim", "source_vocab_size", "target_vocab_size"}) {
    EXPECT_THAT(Error(key, 0), HasSubstr(std::string(key) + "\": " + size + "0"));
    EXPECT_THAT(Error(key, 1048577), HasSubstr(std::string(key) + "\": " + size + "1048577"));
  }
  for (const char* key : {"encoder_layers", "decoder_layers"}) {
    EXPECT_THAT(Error(key, 0), HasSubstr("from 1 to 1024, found 0"));
    EXPECT_THAT(Error(key, 1025), HasSubstr("from 1 to 1024, found 1025"));
  }
  EXPECT_THAT(Error("max_positions", 1), HasSubstr("from 2 to 65536, found 1"));
  EXPECT_THAT(Error("max_positions", 65537), HasSubstr("from 2 to 65536, found 65537"));
  EXPECT_THAT(Error("max_source_tokens", 1), HasSubstr("from 3 to 60, found 1"));
  EXPECT_THAT(Error("max_source_tokens", 61), HasSubstr("from 3 to 60, found 61"));
}

TEST(ConfigTest, RejectsSizesThatDoNotFitTogether) {
  EXPECT_THAT(Error("encoder_heads", 5),
              HasSubstr("\"encoder_heads\": 5 heads do not divide \"model_dim\", 24"));
  EXPECT_THAT(Error("decoder_heads", 48), HasSubstr("\"decoder_heads\": 48 heads do not divide"));
  EXPECT_THAT(Error("shared_embeddings", true),
              HasSubstr("\"source_vocab_size\" is 100 and \"target_vocab_size\" is 50"));
}

TEST(ConfigTest, RejectsNumbersThatAreNotAboveZero) {
  EXPECT_THAT(Error("layer_norm_epsilon", 0), HasSubstr("expected a number above 0, found 0"));
  EXPECT_THAT(Error("embedding_scale", -1), HasSubstr("expected a number above 0, found -1"));
  EXPECT_THAT(Error([](ModelConfig& c) { c.embedding_scale = std::nanf(""); }),
              HasSubstr("\"embedding_scale\": expected a number above 0, found nan"));
  EXPECT_THAT(Error([](ModelConfig& c) { c.layer_norm_epsilon = HUGE_VALF; }),
              HasSubstr("\"layer_norm_epsilon\": expected a number above 0, found inf"));
}

TEST(ConfigTest, RejectsPositionsThatDoNotFitTheWidth) {
  const auto odd = [](Positions positions, int model_dim) {
    return [=](ModelConfig& config) {
      config.positions = positions;
      config.model_dim = model_dim;
      config.encoder_heads = config.decoder_heads = 1;
      config.alignment_heads = 1;
      config.alignment_input_head = 0;
      config.first_position = 0;
    };
  };
  EXPECT_THAT(Error(odd(Positions::kSinusoidal, 9)), HasSubstr("need an even width, found 9"));
  EXPECT_THAT(Error(odd(Positions::kSinusoidalMarian, 2)), HasSubstr("from 4 up, found 2"));
  EXPECT_EQ(Error(odd(Positions::kSinusoidal, 2)), "");
  EXPECT_EQ(Error(odd(Positions::kLearned, 9)), "");
}

TEST(ConfigTest, RejectsLearnedPositionsThatDoNotStartAtZero) {
  EXPECT_THAT(Error("positions", "learned"), HasSubstr("learned positions start from 0, found 1"));
}

TEST(ConfigTest, RejectsIdsOutsideTheirVocabulary) {
  for (const char* key : {"source_eos_id", "source_unk_id"}) {
    EXPECT_THAT(Error(key, 100), HasSubstr(std::string(key) + "\": expected a whole number from"));
  }
  EXPECT_THAT(Error("source_unk_id", -1), HasSubstr("from 0 to 99, found -1"));
  EXPECT_EQ(Error("source_eos_id", -1), "");
  EXPECT_THAT(Error("target_eos_id", -1), HasSubstr("from 0 to 49, found -1"));
  for (const char* key : {"target_eos_id", "target_unk_id"}) {
    EXPECT_THAT(Error(key, 50), HasSubstr("from 0 to 49, found 50"));
  }
  EXPECT_THAT(Error("decoder_start_id", 50), HasSubstr("from -1 to 49, found 50"));
  EXPECT_EQ(Error("decoder_start_id", -1), "");
  EXPECT_THAT(Error("bad_words", {1, 50}), HasSubstr("\"bad_words\": expected"));
}

TEST(ConfigTest, RejectsForbiddingTheEndOfSentence) {
  EXPECT_THAT(Error("bad_words", {49}), HasSubstr("no translation could end"));
}

TEST(ConfigTest, RejectsAnAlignmentHeadThatDoesNotExist) {
  EXPECT_THAT(Error("alignment_layer", 2), HasSubstr("from -1 to 1, found 2"));
  EXPECT_THAT(Error("alignment_heads", 5), HasSubstr("from 0 to 4, found 5"));
  EXPECT_THAT(Error("alignment_input_layer", 2), HasSubstr("from -1 to 1, found 2"));
  EXPECT_THAT(Error("alignment_input_head", 4), HasSubstr("from 0 to 3, found 4"));
}

}  // namespace
}  // namespace limpid::internal

#include "models/formats/marian_vocabulary.h"

#include <filesystem>
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "tests/models/marian_folder.h"

namespace limpid::internal {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;

// Vocabularies of models in tests/golden/marian: of 61 pieces, of 40 and 36, and of 60.
const std::string kModels = "tests/golden/marian/";
const std::string kJoint = kModels + "post_norm/vocab.spm";
const std::string kSource = kModels + "pre_norm/srcvocab.spm";
const std::string kTarget = kModels + "pre_norm/trgvocab.spm";
const std::string kYaml = kModels + "opus_mt/opus.spm32k-spm32k.vocab.yml";

// A folder for the vocabularies of model.npz, whose embeddings have the rows that Read is given.
class MarianVocabularyTest : public testing::Test {
 protected:
  MarianVocabularyTest() : folder_(FreshPath("folder")) { fs::create_directory(folder_); }

  std::string Path(const std::string& name) const { return folder_ + "/" + name; }

  std::string Read(int source_rows, int target_rows) {
    checkpoint_ = {};
    checkpoint_.config.source_vocab_size = source_rows;
    checkpoint_.config.target_vocab_size = target_rows;
    return Message(ReadMarianVocabularies(Path("model.npz"), checkpoint_));
  }

  const std::string folder_;
  Checkpoint checkpoint_;
};

TEST_F(MarianVocabularyTest, OneVocabularyServesBothSides) {
  fs::copy(kJoint, Path("vocab.spm"));
  ASSERT_EQ(Read(61, 61), "");
  EXPECT_EQ(checkpoint_.source_vocabulary.size(), 61U);
  EXPECT_EQ(checkpoint_.source_vocabulary, checkpoint_.target_vocabulary);
  EXPECT_EQ(checkpoint_.source_sentencepiece, ReadText(kJoint));
  EXPECT_EQ(checkpoint_.target_sentencepiece, ReadText(kJoint));
}

TEST_F(MarianVocabularyTest, SpecialTokensAreFoundByName) {
  WriteText(Path("vocab.yml"), "a: 0\n</s>: 1\nb: 2\n<unk>: 3\n");
  ASSERT_EQ(Read(4, 4), "");
  EXPECT_THAT(checkpoint_.source_vocabulary, ElementsAre("a", "</s>", "b", "<unk>"));
  EXPECT_EQ(checkpoint_.config.source_eos_id, 1);
  EXPECT_EQ(checkpoint_.config.target_eos_id, 1);
  EXPECT_EQ(checkpoint_.config.source_unk_id, 3);
  EXPECT_EQ(checkpoint_.config.target_unk_id, 3);
  EXPECT_THAT(checkpoint_.config.bad_words, ElementsAre(3));
}

TEST_F(MarianVocabularyTest, TwoVocabulariesAreToldApartByName) {
  fs::copy(kTarget, Path("trgvocab.deen.spm"));
  fs::copy(kSource, Path("srcvocab.deen.spm"));
  ASSERT_EQ(Read(40, 36), "");
  EXPECT_EQ(checkpoint_.source_sentencepiece, ReadText(kSource));
  EXPECT_EQ(checkpoint_.target_sentencepiece, ReadText(kTarget));
}

// The paths are those of the machine that trained the model.
TEST_F(MarianVocabularyTest, DecoderOptionsNameTheVocabularies) {
  fs::copy(kSource, Path("b.spm"));
  fs::copy(kTarget, Path("a.spm"));
  fs::copy(kJoint, Path("vocab.spm"));
  WriteText(Path("decoder.yml"), "vocabs:\n  - /data/train/b.spm\n  - /data/train/a.spm\n");
  ASSERT_EQ(Read(40, 36), "");
  EXPECT_EQ(checkpoint_.source_sentencepiece, ReadText(kSource));
  EXPECT_EQ(checkpoint_.target_sentencepiece, ReadText(kTarget));

  // Takes precedence over decoder.yml.
  WriteText(Path("model.npz.decoder.yml"), "vocabs: [a.spm, a.spm]\n");
  ASSERT_EQ(Read(36, 36), "");
  EXPECT_EQ(checkpoint_.source_sentencepiece, ReadText(kTarget));
}

TEST_F(MarianVocabularyTest, IgnoresDecoderOptionsThatNameNoUsableFiles) {
  fs::copy(kJoint, Path("vocab.spm"));
  for (const char* options :
       {"vocabs: [gone.spm, gone.spm]\n", "vocabs: [vocab.spm]\n", "beam: 6\n"}) {
    WriteText(Path("decoder.yml"), options);
    EXPECT_EQ(Read(61, 61), "") << options;
  }
  WriteText(Path("decoder.yml"), "vocabs: [");
  EXPECT_THAT(Read(61, 61), HasSubstr(Path("decoder.yml")));
}

TEST_F(MarianVocabularyTest, ReportsWhatItFoundInstead) {
  EXPECT_THAT(Read(61, 61), HasSubstr(folder_ + ": expected one vocabulary beside the model"));
  EXPECT_THAT(Read(61, 61), HasSubstr("found none"));
  fs::copy(kJoint, Path("vocab.spm"));
  fs::copy(kJoint, Path("vocab2.spm"));
  EXPECT_THAT(Read(61, 61), HasSubstr("found vocab.spm, vocab2.spm"));
  fs::copy(kJoint, Path("vocab3.spm"));
  EXPECT_THAT(Read(61, 61), HasSubstr("found vocab.spm, vocab2.spm, vocab3.spm"));
}

TEST_F(MarianVocabularyTest, RejectsTheVocabularyOfAnotherModel) {
  fs::copy(kSource, Path("vocab.spm"));
  EXPECT_THAT(Read(61, 61), HasSubstr(Path("vocab.spm: the model's embedding has 61 rows, found 40 "
                                           "pieces; is it the vocabulary of another model?")));
}

TEST_F(MarianVocabularyTest, ExplainsInvalidYaml) {
  const auto error = [&](const std::string& text) {
    WriteText(Path("vocab.yml"), text);
    return Read(3, 3);
  };
  EXPECT_EQ(error("</s>: 0\n<unk>: 1\na: 2\n"), "");
  for (const char* id : {"1", "3", "-1", "x", "[2]", "\"\""}) {
    EXPECT_THAT(error(std::string("</s>: 0\n<unk>: 1\na: ") + id + "\n"),
                HasSubstr("piece \"a\": expected an id of its own below 3"))
        << id;
  }
  EXPECT_THAT(error("</s>: 0\nunknown: 1\na: 2\n"),
              HasSubstr("the special token \"<unk>\" is missing"));
  EXPECT_THAT(error("end: 0\n<unk>: 1\na: 2\n"),
              HasSubstr("the special token \"</s>\" is missing"));
}

// A vocabulary in YAML numbers pieces, but cannot split text.
TEST_F(MarianVocabularyTest, SentencePieceModelsLieBesideYaml) {
  fs::copy(kYaml, Path("vocab.yml"));
  EXPECT_EQ(Read(60, 60), "");
  EXPECT_EQ(checkpoint_.source_sentencepiece, "");
  fs::copy(kSource, Path("source.spm"));
  EXPECT_THAT(Read(60, 60), HasSubstr("has source.spm but no target.spm; expected both"));
  WriteText(Path("target.spm"), "");
  EXPECT_THAT(Read(60, 60), HasSubstr("target.spm: is empty"));
  fs::remove(Path("target.spm"));
  fs::copy(kTarget, Path("target.spm"));
  EXPECT_EQ(Read(60, 60), "");
  EXPECT_EQ(checkpoint_.source_sentencepiece, ReadText(kSource));
  EXPECT_EQ(checkpoint_.target_sentencepiece, ReadText(kTarget));
}

}  // namespace
}  // namespace limpid::internal

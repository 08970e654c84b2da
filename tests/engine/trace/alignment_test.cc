#include "limpid/alignment.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "limpid/translator.h"
#include "models/native/native.h"
#include "tests/reference/random_model.h"
#include "tests/temporary_folder.h"

namespace limpid::internal {
namespace {

using testing::ElementsAre;
using testing::FloatEq;
using testing::HasSubstr;

TracedSide Side(const std::vector<int>& words_of_tokens, int words) {
  TracedSide side;
  for (const int word : words_of_tokens)
    side.tokens.push_back({.piece = "p", .word = word, .is_text = word >= 0});
  side.words.resize(words);
  return side;
}

// Source: word 0 of two pieces, word 1, </s>. Target: word 0, word 1 of two pieces, </s>. One layer
// of two heads.
SentenceTrace SmallTrace() {
  SentenceTrace trace;
  trace.source = Side({0, 0, 1, -1}, 2);
  trace.target = Side({0, 1, 1, -1}, 2);
  trace.decoder_layers = 1;
  AttentionTrace& cross = trace.attentions.emplace_back();
  cross.id = {AttentionKind::kCross, 0};
  cross.heads = {0, 1};
  cross.queries = 4;
  cross.keys = 4;
  cross.weights = {
      0.5F, 0.25F, 0.25F, 0,     // head 0: predicts target token 0
      0,    0,     1,     0,     //         predicts token 1
      0,    0,     0.5F,  0.5F,  //         predicts token 2
      0,    0,     0,     1,     //         predicts </s>
      0,    0,     0,     1,     // head 1
      0,    0,     0,     1,     //
      0,    0,     0,     1,     //
      1,    0,     0,     0,     //
  };
  return trace;
}

TEST(AlignmentTest, SumsOverSourcePiecesAndTakesTheMeanOverTargetPieces) {
  const absl::StatusOr<Alignment> alignment = AlignWords(SmallTrace(), {.layer = 0, .heads = {0}});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  EXPECT_THAT(alignment->weights, ElementsAre(0.75F, 0.25F, 0,    // word 0
                                              0, 0.75F, 0.25F));  // word 1: of 1 and 0.5
}

TEST(AlignmentTest, TheInputRowIsOneStepLater) {
  const absl::StatusOr<Alignment> alignment =
      AlignWords(SmallTrace(), {.layer = 0, .heads = {0}, .row = AlignmentRow::kInput});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  EXPECT_THAT(alignment->weights, ElementsAre(0, 1, 0,            // the row that predicts token 1
                                              0, 0.25F, 0.75F));  // those of token 2 and </s>
}

TEST(AlignmentTest, TakesTheMeanOfHeads) {
  const absl::StatusOr<Alignment> alignment = AlignWords(SmallTrace(), {.layer = 0});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  EXPECT_THAT(alignment->weights, ElementsAre(0.375F, 0.125F, 0.5F, 0, 0.375F, FloatEq(0.625F)));
}

TEST(AlignmentTest, TheModelsOwnHeadIsTheDefault) {
  SentenceTrace trace = SmallTrace();
  trace.alignment_layer = 0;
  trace.alignment_heads = 1;
  EXPECT_EQ(AlignWords(trace, {})->weights, AlignWords(trace, {.layer = 0, .heads = {0}})->weights);
}

TEST(AlignmentTest, AHeadWithoutALayerIsInTheAlignmentLayer) {
  SentenceTrace trace = SmallTrace();
  trace.decoder_layers = 6;
  trace.alignment_layer = 5;
  trace.alignment_heads = 2;
  const AlignmentOptions chosen = DefaultAlignment(trace, {.heads = {1}});
  EXPECT_EQ(chosen.layer, 5);
  EXPECT_THAT(chosen.heads, ElementsAre(1));
}

TEST(AlignmentTest, WithoutAlignmentHeadsTheDefaultIsTheSecondToLastLayer) {
  SentenceTrace trace = SmallTrace();
  trace.decoder_layers = 6;
  EXPECT_EQ(DefaultAlignment(trace, {}).layer, 4);
  trace.decoder_layers = 1;
  EXPECT_EQ(DefaultAlignment(trace, {}).layer, 0);
  EXPECT_THAT(DefaultAlignment(trace, {}).heads, ElementsAre(0, 1));
}

TEST(AlignmentTest, AWordWithoutPiecesHasTheRowOfTheWordBefore) {
  SentenceTrace trace = SmallTrace();
  trace.target = Side({0, 2, 2, -1}, 3);
  const absl::StatusOr<Alignment> alignment = AlignWords(trace, {.layer = 0, .heads = {0}});
  EXPECT_EQ(alignment->weight(1, 0), 0.75F);
  EXPECT_EQ(alignment->weight(2, 1), 0.75F);
}

TEST(AlignmentTest, NamesLayersAndHeadsThatWereNotRecorded) {
  EXPECT_THAT(AlignWords(SmallTrace(), {.layer = 3}).status().message(), HasSubstr("layer 3"));
  EXPECT_THAT(AlignWords(SmallTrace(), {.layer = 0, .heads = {7}}).status().message(),
              HasSubstr("no head 7"));
}

TEST(AlignmentTest, PharaohLinksTheHeaviestWordUnlessItIsTheNullWord) {
  Alignment alignment;
  alignment.targets = 3;
  alignment.sources = 2;
  alignment.weights = {0.2F, 0.7F, 0.1F, 0.3F, 0.1F, 0.6F, 0.9F, 0.1F, 0};
  EXPECT_EQ(FormatPharaoh(alignment), "1-0 0-2");
  EXPECT_EQ(FormatPharaoh({}), "");
}

TEST(AlignmentTest, TheLastTokenOfACutOffTranslationHasItsOutputRow) {
  SentenceTrace trace = SmallTrace();
  trace.target = Side({0, 1, 1, 2}, 3);  // no </s>
  const AlignmentOptions options = {.layer = 0, .heads = {1}, .row = AlignmentRow::kInput};
  const absl::StatusOr<Alignment> alignment = AlignWords(trace, options);
  EXPECT_EQ(alignment->weight(2, 0), 1);
  // With </s>, the input row of the last word is the row that predicts </s>.
  trace.target = Side({0, 1, 2, -1}, 3);
  EXPECT_EQ(AlignWords(trace, options)->weight(2, 0), 1);
}

TEST(AlignmentTest, TheDefaultIsTheMeanOfBothRowsWhereTheModelNamesHeadsForBoth) {
  SentenceTrace trace = SmallTrace();
  trace.alignment_layer = 0;
  trace.alignment_heads = 1;
  trace.alignment_input_layer = 0;
  trace.alignment_input_head = 0;
  const Alignment output = *AlignWords(trace, {.row = AlignmentRow::kOutput});
  const Alignment input = *AlignWords(trace, {.row = AlignmentRow::kInput});
  const Alignment both = *AlignWords(trace, {});
  for (size_t i = 0; i < both.weights.size(); ++i) {
    EXPECT_FLOAT_EQ(both.weights[i], (output.weights[i] + input.weights[i]) / 2);
  }
}

TEST(AlignmentTest, NormsReplaceWeights) {
  SentenceTrace trace = SmallTrace();
  AttentionTrace& cross = trace.attentions[0];
  EXPECT_THAT(AlignWords(trace, {.measure = AlignmentMeasure::kNorm}).status().message(),
              HasSubstr("no norms"));
  cross.norms.assign(cross.weights.size(), 0);
  for (size_t row = 0; row < 8; ++row) cross.norms[row * 4 + 2] = 3;
  cross.joint_norms.assign(16, 0.5F);
  const Alignment one =
      *AlignWords(trace, {.layer = 0, .heads = {0}, .measure = AlignmentMeasure::kNorm});
  EXPECT_THAT(one.weights, ElementsAre(0, 1, 0, 0, 1, 0));
  const Alignment all = *AlignWords(trace, {.layer = 0, .measure = AlignmentMeasure::kNorm});
  EXPECT_THAT(all.weights, ElementsAre(0.5F, 0.25F, 0.25F, 0.5F, 0.25F, 0.25F));
}

TEST(AlignmentTest, OcclusionSharesAreLogProbabilitiesLostWithoutAWord) {
  SentenceTrace trace = SmallTrace();
  const AlignmentOptions options = {.measure = AlignmentMeasure::kOcclusion};
  EXPECT_THAT(AlignWords(trace, options).status().message(), HasSubstr("has no occlusion"));
  trace.occlusion = {3, -2, 1, 9, 1, -2, -1, 9};  // source words 0 and 1, four tokens each
  EXPECT_THAT(AlignWords(trace, options)->weights, ElementsAre(0.75F, 0.25F, 0, 0, 0, 1));
  EXPECT_THAT(AlignPieces(trace, options).status().message(), HasSubstr("whole words"));
}

TEST(AlignmentTest, PiecesAreAlignedOneByOne) {
  const Alignment alignment = *AlignPieces(SmallTrace(), {.layer = 0, .heads = {0}});
  EXPECT_EQ(alignment.targets, 3);
  EXPECT_THAT(alignment.weights, ElementsAre(0.5F, 0.25F, 0.25F, 0, 0, 0, 1, 0, 0, 0, 0.5F, 0.5F));
}

TEST(AlignmentTest, TheFirstTokenOfTheSourceMayBeTheNullWord) {
  SentenceTrace trace = SmallTrace();
  trace.source = Side({-1, 0, 1, -1}, 2);
  const Alignment pieces = *AlignPieces(trace, {.layer = 0, .heads = {0}});
  EXPECT_EQ(pieces.sources, 2);
  EXPECT_THAT(pieces.weights, ElementsAre(0.25F, 0.25F, 0.5F, 0, 1, 0, 0, 0.5F, 0.5F));
  EXPECT_THAT(AlignWords(trace, {.layer = 0, .heads = {0}})->null_word(0), 0.5F);
}

// A piece outside words, such as a space, is still a piece.
TEST(AlignmentTest, PiecesOutsideWordsAreCounted) {
  SentenceTrace trace = SmallTrace();
  trace.source.tokens[0].word = -1;
  EXPECT_EQ(AlignPieces(trace, {.layer = 0, .heads = {0}})->sources, 3);
}

// Two sentences of SmallTrace() with a copy between them: "ab cd. 你 ab cd."
class AlignTextTest : public testing::Test {
 protected:
  AlignTextTest() : traces_{SmallTrace(), SmallTrace()} {
    for (SentenceTrace& trace : traces_) {
      for (TracedSide* side : {&trace.source, &trace.target}) {
        for (size_t i = 0; i < side->tokens.size(); ++i) {
          side->tokens[i].begin = side->tokens[i].end = 6;
          if (side->tokens[i].word >= 0) SetRange(side->tokens[i].word, &side->tokens[i]);
        }
        for (size_t i = 0; i < side->words.size(); ++i) {
          side->words[i].begin = 3 * i;
          side->words[i].end = 3 * i + 2;
        }
      }
    }
    traces_[1].source.begin = traces_[1].target.begin = 11;
  }

  static void SetRange(int word, TracedToken* token) {
    token->begin = size_t{3} * word;
    token->end = token->begin + 2;
  }
  static std::vector<TracedWord> Words(const std::vector<size_t>& begins) {
    std::vector<TracedWord> words;
    for (const size_t begin : begins) words.push_back({"", begin, begin + 2});
    return words;
  }

  std::vector<SentenceTrace> traces_;
  const std::vector<CopiedText> copies_ = {{7, 7, 3}};
};

TEST_F(AlignTextTest, NumbersWordsAcrossSentencesAndCopies) {
  const Alignment one = *AlignWords(traces_[0], {.layer = 0, .heads = {0}});
  const std::vector<TracedWord> words = Words({0, 3, 8, 11, 14});
  const Alignment all = *AlignText(traces_, copies_, words, words, {.layer = 0, .heads = {0}});
  ASSERT_EQ(all.targets, 5);
  ASSERT_EQ(all.sources, 5);
  EXPECT_EQ(all.weight(2, 2), 1);
  for (int target = 0; target < one.targets; ++target) {
    for (int source = 0; source < one.sources; ++source) {
      EXPECT_EQ(all.weight(target, source), one.weight(target, source));
      EXPECT_EQ(all.weight(target + 3, source + 3), one.weight(target, source));
    }
    EXPECT_EQ(all.null_word(target + 3), one.null_word(target));
  }
}

// As when a long sentence is cut within a word.
TEST_F(AlignTextTest, AWordThatTwoSentencesShareIsOne) {
  const std::vector<TracedWord> source = {{"", 0, 2}, {"", 3, 13}, {"", 14, 16}};
  const std::vector<TracedWord> target = Words({0, 3, 11, 14});
  const Alignment all = *AlignText(traces_, {}, source, target, {.layer = 0, .heads = {0}});
  const Alignment one = *AlignWords(traces_[0], {.layer = 0, .heads = {0}});
  EXPECT_EQ(all.sources, 3);
  EXPECT_EQ(all.weight(1, 1), one.weight(1, 1));
  EXPECT_EQ(all.weight(2, 1), one.weight(0, 0));
}

TEST_F(AlignTextTest, OcclusionNumbersWordsAcrossSentences) {
  const AlignmentOptions options = {.measure = AlignmentMeasure::kOcclusion};
  for (SentenceTrace& trace : traces_) trace.occlusion = {3, -2, 1, 9, 1, -2, -1, 9};
  const std::vector<TracedWord> words = Words({0, 3, 11, 14});
  EXPECT_EQ(FormatSoft(*AlignText(traces_, {}, words, words, options)),
            "0.75,0.25,0,0,0 0,0,0,0,1 0,0,0.75,0.25,0 0,0,0,0,1");
}

TEST_F(AlignTextTest, NumbersPiecesAcrossSentences) {
  const AlignmentOptions options = {.layer = 0, .heads = {0}};
  const Alignment one = *AlignPieces(traces_[0], options);
  const Alignment all = *AlignTextPieces(traces_, options);
  EXPECT_EQ(all.targets, 2 * one.targets);
  EXPECT_EQ(all.sources, 2 * one.sources);
  EXPECT_EQ(all.weight(one.targets, one.sources), one.weight(0, 0));
  EXPECT_EQ(all.null_word(one.targets), one.null_word(0));
  EXPECT_EQ(FormatPharaoh(*AlignTextPieces({}, options)), "");
}

TEST(AlignmentTest, IntersectionLinksAreTheLargestOfBothWords) {
  Alignment alignment;
  alignment.targets = 3;
  alignment.sources = 2;
  alignment.weights = {0.75F, 0, 0.25F, 1, 0, 0, 0.95F, 0.05F, 0};
  EXPECT_EQ(FormatPharaoh(alignment, LinkRule::kEach), "0-0 0-1 0-2");
  // 0.95 is more than 0.9 of the source's largest share, 1.
  EXPECT_EQ(FormatPharaoh(alignment, LinkRule::kIntersection), "0-1 0-2");
}

// Without "not" the sentence means the opposite, so that "nicht" becomes improbable.
TEST(AlignmentTest, OcclusionOfAWordAffectsItsTranslation) {
  const auto translator = *Translator::Load("models/eng-deu");
  const AlignmentOptions options = {.measure = AlignmentMeasure::kOcclusion};
  const std::vector<SentencePair> pairs = {{"I do not know him.", "Ich kenne ihn nicht."}};
  const std::vector<Translation> scored =
      *translator->ScoreBatch(pairs, {.trace = AlignmentRequest(options)});
  const SentenceTrace& trace = scored[0].traces[0];
  EXPECT_EQ(trace.occlusion.size(), trace.source.words.size() * trace.target.tokens.size());
  const Alignment alignment = *AlignWords(trace, options);
  EXPECT_GT(alignment.weight(3, 2), 0.9F);  // nicht ← not
  // The drop equals that of scoring the sentence without the word.
  const std::vector<SentencePair> without = {{"I do know him.", "Ich kenne ihn nicht."}};
  const std::vector<Translation> rescored = *translator->ScoreBatch(without);
  const size_t tokens = trace.target.tokens.size();
  for (size_t i = 0; i < tokens; ++i) {
    EXPECT_NEAR(trace.occlusion[2 * tokens + i],
                scored[0].tokens[i].log_probability - rescored[0].tokens[i].log_probability, 1e-3);
  }
}

// The shipped model without byte fallback: characters outside the vocabulary become <unk>.
std::unique_ptr<Translator> ShippedWithoutBytes() {
  const std::string folder = TemporaryPath("without_bytes");
  std::filesystem::copy("models/eng-deu", folder);
  std::filesystem::remove(folder + "/checksums.json");
  const std::string path = folder + "/source.spm";
  std::string spm;
  {
    std::ifstream file(path, std::ios::binary);
    spm.assign(std::istreambuf_iterator<char>(file), {});
  }
  // A SentencePiece model is a protocol buffer; these are its fields with their numbers.
  for (int byte = 0; byte < 256; ++byte) {
    const size_t piece = spm.find(absl::StrFormat("<0x%02X>", byte));
    const size_t type = spm.find("\x18\x06", piece);  // 3: BYTE
    EXPECT_LT(type, piece + 16);
    spm[type + 1] = 5;  // UNUSED
  }
  const size_t byte_fallback = spm.rfind("\x98\x02\x01");  // 35: true
  EXPECT_NE(byte_fallback, std::string::npos);
  spm[byte_fallback + 2] = 0;
  std::ofstream(path, std::ios::binary) << spm;
  auto translator = *Translator::Load(folder);
  std::filesystem::remove_all(folder);
  return translator;
}

TEST(AlignmentTest, UnknownsBecomeTheirAlignedSourceWord) {
  const auto translator = ShippedWithoutBytes();
  const std::vector<SentencePair> pairs = {{"I love 漢字 very much.", "Ich liebe 漢字 sehr."}};
  const std::vector<Translation> scored = *translator->ScoreBatch(pairs);
  EXPECT_EQ(scored[0].text, pairs[0].target);
  const auto unknown = [](const Token& token) { return token.id == 1; };
  EXPECT_TRUE(std::any_of(scored[0].tokens.begin(), scored[0].tokens.end(), unknown));
  const std::vector<Translation> replaced =
      *translator->ScoreBatch(pairs, {.trace = AlignmentRequest({}), .replace_unknowns = true});
  EXPECT_EQ(replaced[0].text, "Ich liebe 漢字 sehr.");
  EXPECT_EQ(replaced[0].traces[0].target.text, replaced[0].text);
  EXPECT_THAT(replaced[0].traces[0].target.words, testing::SizeIs(5));
  const Translation alone = (*translator->ScoreBatch(pairs, {.replace_unknowns = true}))[0];
  EXPECT_EQ(alone.text, replaced[0].text);
  EXPECT_THAT(alone.traces, testing::IsEmpty());
}

// An unknown piece is often part of a word whose other pieces are known.
TEST(AlignmentTest, UnknownPiecesWithinAWordAreReplaced) {
  const auto translator = ShippedWithoutBytes();
  const std::vector<SentencePair> pairs = {{"It is 20℃ here.", "Es ist 20℃ hier."},
                                           {"I know Doğan.", "Ich kenne Doğan."}};
  const auto scored = *translator->ScoreBatch(pairs, {.replace_unknowns = true});
  for (size_t i = 0; i < pairs.size(); ++i) EXPECT_EQ(scored[i].text, pairs[i].target);
}

// A model that can produce nothing but <unk> and </s>.
TEST(AlignmentTest, UnknownsThatASearchFindsAreReplaced) {
  ModelConfig config = reference::SmallConfig();
  config.bad_words.clear();
  for (int id = 0; id < config.target_vocab_size; ++id) {
    if (id != config.target_unk_id && id != config.target_eos_id) config.bad_words.push_back(id);
  }
  const std::string folder = TemporaryPath("unknowns");
  ASSERT_TRUE(WriteNative(reference::RandomModel(config, 1), folder, DType::kFloat32).ok());
  const auto translator = *Translator::Load(folder);
  std::filesystem::remove_all(folder);
  const TranslateOptions options = {.search = {.max_output_tokens = 6, .min_output_tokens = 5},
                                    .trace = AlignmentRequest({}),
                                    .replace_unknowns = true};
  const std::vector<std::string> words = {"w5", "w2", "w7"};
  const Translation translation = *translator->Translate(absl::StrJoin(words, " "), options);
  const Alignment alignment = *AlignPieces(translation.traces.at(0), {});
  ASSERT_EQ(alignment.sources, 3);
  ASSERT_GE(alignment.targets, 5);
  std::vector<std::string> aligned;
  for (int target = 0; target < alignment.targets; ++target) {
    const float* row = alignment.row(target);
    aligned.push_back(words[std::max_element(row, row + 3) - row]);
  }
  aligned.erase(std::unique(aligned.begin(), aligned.end()), aligned.end());
  EXPECT_EQ(translation.text, absl::StrJoin(aligned, " "));  // each word once per run of <unk>
}

// Words are those of the line, including a sentence in another script and a cut one.
TEST(AlignmentTest, ACutWordOfALongSentenceIsOneWord) {
  const auto translator = *Translator::Load("models/eng-deu");
  const TranslateOptions options = {.search = {.max_output_tokens = 20},
                                    .trace = AlignmentRequest({})};
  const Translation translation =
      *translator->Translate("你好。 I am here. " + std::string(3000, 'x') + " is long.", options);
  ASSERT_GT(translation.traces.size(), 3U);
  const std::vector<TracedWord> source = SplitIntoWords(translation.source);
  ASSERT_THAT(source, testing::SizeIs(10));  // 你好 。 I am here . xxx is long .
  const std::vector<TracedWord> target = SplitIntoWords(translation.text);
  const Alignment alignment =
      *AlignText(translation.traces, translation.copies, source, target, {});
  EXPECT_EQ(alignment.weight(0, 0), 1);
  EXPECT_EQ(alignment.weight(1, 1), 1);
  EXPECT_EQ(target[2].text, "Ich");
  EXPECT_GT(alignment.weight(2, 2), 0.5F);
}

TEST(AlignmentTest, TheShippedModelAlignsAsExpected) {
  const auto translator = *Translator::Load("models/eng-deu");
  TraceRequest request;
  request.kinds = {AttentionKind::kCross};
  const absl::StatusOr<Translation> translation =
      translator->Translate("I love you very much.", {.trace = request});
  ASSERT_EQ(translation->text, "Ich liebe dich sehr.");
  const absl::StatusOr<Alignment> alignment = AlignWords(translation->traces[0], {});
  ASSERT_TRUE(alignment.ok()) << alignment.status();
  // I love you very much .  →  Ich liebe dich sehr .
  EXPECT_THAT(FormatPharaoh(*alignment),
              testing::AnyOf("0-0 1-1 2-2 3-3 5-4", "0-0 1-1 2-2 4-3 5-4"));
  for (int target = 0; target < alignment->targets; ++target) {
    float sum = 0;
    for (int source = 0; source <= alignment->sources; ++source) {
      sum += alignment->weight(target, source);
    }
    EXPECT_NEAR(sum, 1, 1e-5);
  }
}

}  // namespace
}  // namespace limpid::internal

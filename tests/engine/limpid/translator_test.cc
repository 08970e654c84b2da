// The public interface, on the shipped model.

#include "limpid/translator.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_replace.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "models/native/native.h"
#include "nlohmann/json.hpp"
#include "tests/engine/allocated_bytes.h"
#include "tests/engine/compute_types.h"
#include "tests/reference/random_model.h"
#include "tests/sanitized.h"
#include "tests/temporary_folder.h"

namespace limpid::internal {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kModel[] = "models/eng-deu";

const Translator& Shipped() {
  static const Translator& translator =
      *Translator::Load(kModel, {.compute_type = ComputeType::kFloat32, .threads = 2})->release();
  return translator;
}

std::string Text(std::string_view text, const TranslateOptions& options = {}) {
  absl::StatusOr<Translation> translation = Shipped().Translate(text, options);
  EXPECT_TRUE(translation.ok()) << translation.status();
  return translation->text;
}

std::unique_ptr<Translator> SmallWithoutEndOfSentence() {
  const std::string folder = testing::TempDir() + "/limpid-no-eos-" + std::to_string(getpid());
  ModelConfig config = reference::SmallConfig();
  config.source_eos_id = -1;
  EXPECT_TRUE(WriteNative(reference::RandomModel(config, 1), folder, DType::kFloat32).ok());
  auto translator = *Translator::Load(folder);
  std::filesystem::remove_all(folder);
  return translator;
}

TEST(TranslatorTest, TranslatesAsTheOriginalSoftwareDoes) {
  std::ifstream in("tests/golden/eng-deu/golden.json");
  const nlohmann::json golden = nlohmann::json::parse(in);
  ASSERT_GT(golden["sentences"].size(), 30U);
  const auto longest = static_cast<size_t>(Shipped().info().max_source_tokens);
  for (const auto& sentence : golden["sentences"]) {
    if (sentence["source_ids"].size() > longest) continue;  // the original does not split these
    // Unlike the original, we keep the white space around a text, and leave one space around <unk>
    // instead of two.
    const std::string text = Text(std::string(sentence["source"]), {.split_sentences = false});
    EXPECT_EQ(absl::StripAsciiWhitespace(text),
              absl::StrReplaceAll(std::string(sentence["text"]), {{"  ", " "}}));
  }
}

TEST(TranslatorTest, SentencesAreTranslatedOneByOneAndKeepTheirSpacing) {
  const std::string first = Text("I love you.");
  const std::string second = Text("Where is the station?");
  EXPECT_EQ(Text("I love you. Where is the station?"), first + " " + second);
  EXPECT_EQ(Text("  I love you. \t Where is the station?  "),
            "  " + first + " \t " + second + "  ");
  EXPECT_EQ(Text("I love you.\n\nWhere is the station?\n"), first + "\n\n" + second + "\n");
}

TEST(TranslatorTest, WithoutSplittingATextIsOneSentence) {
  const absl::StatusOr<Translation> whole =
      Shipped().Translate("I love you. I love you.", {.split_sentences = false});
  const absl::StatusOr<Translation> split = Shipped().Translate("I love you. I love you.");
  const auto ends = [](const Translation& translation) {
    return std::count_if(translation.tokens.begin(), translation.tokens.end(),
                         [](const Token& token) { return token.piece == "</s>"; });
  };
  EXPECT_EQ(ends(*whole), 1);
  EXPECT_EQ(ends(*split), 2);
}

TEST(TranslatorTest, TextWithoutWordsIsCopied) {
  for (const std::string text : {"", " ", "\t  \n", "\u00a0"}) {
    EXPECT_EQ(Text(text), text);
    EXPECT_EQ(Text(text, {.split_sentences = false}), text);
  }
}

TEST(TranslatorTest, PunctuationAndNumbersAreCopied) {
  for (const std::string text : {"---", "...", "?", "12", "3.14", "192.168.0.1", "50 %", "(5)"}) {
    EXPECT_EQ(Text(text), text);
  }
  EXPECT_EQ(Text("I love you. 12. Where is he?"),
            Text("I love you.") + " " + Text("12. Where is he?"));
}

TEST(TranslatorTest, AnEmojiThatIsDroppedLeavesOneSpace) {
  EXPECT_THAT(Text("I love 😀 you."), Not(HasSubstr("  ")));
}

TEST(TranslatorTest, SoftHyphensChangeNothing) {
  const std::string plain = Text("It is a beautiful day.");
  EXPECT_EQ(Text("\ufeffIt is a beau\u00adti\u00adful d\u200bay."), plain);
}

TEST(TranslatorTest, AnyBytesAreAccepted) {
  using namespace std::string_literals;
  for (const std::string& text :
       {"\0"s, "a\0b"s, "\x01\x02\x7f"s, "\xff\xfe"s, "I love \xc3 you."s, "\xf0\x9f\x98\x80"s,
        "\xe2\x80\xae abc"s, std::string(3000, '.'), std::string(5000, 'x')}) {
    absl::StatusOr<Translation> translation =
        Shipped().Translate(text, {.search = {.max_output_tokens = 30}});
    EXPECT_TRUE(translation.ok()) << translation.status();
  }
}

TEST(TranslatorTest, ReportsThatInvalidUtf8WasReplaced) {
  EXPECT_TRUE(Shipped().Translate("I love you\xff.")->replaced_invalid_utf8);
  EXPECT_FALSE(Shipped().Translate("I love you.")->replaced_invalid_utf8);
  EXPECT_EQ(Text("I love you\xff."), Text("I love you\ufffd."));
}

TEST(TranslatorTest, ATooLongSentenceIsCutAndNothingIsLost) {
  std::string sentence;
  for (int i = 0; i < 20; ++i) sentence += "I saw Tom in the garden and Mary was at home, ";
  sentence += "and it was late.";
  const absl::StatusOr<Translation> translation = Shipped().Translate(sentence);
  ASSERT_TRUE(translation.ok());
  EXPECT_EQ(translation->cut_sentences, 1);
  // Each part has its own </s>.
  EXPECT_GT(std::count_if(translation->tokens.begin(), translation->tokens.end(),
                          [](const Token& token) { return token.piece == "</s>"; }),
            1);
  EXPECT_THAT(translation->text, HasSubstr("Garten"));
  EXPECT_EQ(Shipped().Translate("I saw Tom in the garden.")->cut_sentences, 0);
}

TEST(TranslatorTest, ScoreIsTheSumOfLogProbabilities) {
  const absl::StatusOr<Translation> translation = Shipped().Translate("I love you very much.");
  ASSERT_TRUE(translation.ok());
  double sum = 0;
  for (const Token& token : translation->tokens) {
    EXPECT_LE(token.log_probability, 0);
    sum += token.log_probability;
  }
  EXPECT_DOUBLE_EQ(translation->score, sum);
  EXPECT_LT(translation->score, 0);
  std::string pieces;
  for (const Token& token : translation->tokens) pieces += token.piece;
  EXPECT_EQ(pieces, "▁Ich▁liebe▁dich▁sehr.</s>");
}

TEST(TranslatorTest, StopsAtTheLimitAndReportsIt) {
  const absl::StatusOr<Translation> cut =
      Shipped().Translate("I love you very much.", {.search = {.max_output_tokens = 2}});
  ASSERT_TRUE(cut.ok());
  EXPECT_EQ(cut->tokens.size(), 2U);
  EXPECT_EQ(cut->unfinished_sentences, 1);
  EXPECT_EQ(Shipped().Translate("I love you very much.")->unfinished_sentences, 0);
}

TEST(TranslatorTest, ATraceDoesNotChangeTheTranslation) {
  const std::string text = "I love you very much. Where is the station?";
  const absl::StatusOr<Translation> untraced = Shipped().Translate(text);
  const absl::StatusOr<Translation> traced = Shipped().Translate(text, {.trace = TraceRequest{}});
  ASSERT_TRUE(traced.ok()) << traced.status();
  EXPECT_EQ(traced->text, untraced->text);
  EXPECT_EQ(traced->score, untraced->score);
  ASSERT_EQ(traced->traces.size(), 2U);
  EXPECT_TRUE(untraced->traces.empty());

  const SentenceTrace& trace = traced->traces[0];
  EXPECT_EQ(trace.source.text, "I love you very much.");
  EXPECT_EQ(trace.target.text, "Ich liebe dich sehr.");
  std::vector<std::string> words;
  for (const TracedWord& word : trace.target.words) words.push_back(word.text);
  EXPECT_THAT(words, testing::ElementsAre("Ich", "liebe", "dich", "sehr", "."));
  EXPECT_EQ(trace.decoder_start, "<pad>");
  EXPECT_EQ(trace.attentions.size(), 6U + 2U + 2U);
  // Greedy search takes the most probable token at each step.
  for (size_t step = 0; step < trace.target.tokens.size(); ++step) {
    EXPECT_EQ(trace.predictions[step][0].piece, trace.target.tokens[step].piece);
  }
  const AttentionTrace* cross = trace.Find({AttentionKind::kCross, 1});
  ASSERT_NE(cross, nullptr);
  EXPECT_EQ(cross->queries, static_cast<int>(trace.target.tokens.size()));
  EXPECT_EQ(cross->keys, static_cast<int>(trace.source.tokens.size()));
}

TEST(TranslatorTest, AGivenTranslationHasTheScoreOfAFoundOne) {
  const absl::StatusOr<Translation> found = Shipped().Translate("I love you very much.");
  const auto scored = Shipped().ScoreBatch(
      {{"I love you very much.", found->text}, {"I love you very much.", "Wo ist der Bahnhof?"}});
  ASSERT_TRUE(scored.ok()) << scored.status();
  EXPECT_EQ((*scored)[0].text, found->text);
  EXPECT_NEAR((*scored)[0].score, found->score, 1e-3);
  EXPECT_LT((*scored)[1].score, found->score - 10);
}

TEST(TranslatorTest, APairOverTheLimitDoesNotAffectOthers) {
  const std::string longest(3000, 'x');
  const auto scored = *Shipped().ScoreBatch(
      {{"I am here.", "Ich bin hier."}, {"a", longest}, {longest, "a"}, {"", "a"}});
  EXPECT_TRUE(scored[0].status.ok());
  EXPECT_LT(scored[0].score, 0);
  EXPECT_THAT(scored[1].status.message(), HasSubstr("the translation has"));
  EXPECT_THAT(scored[2].status.message(), HasSubstr("the model takes at most 512"));
  EXPECT_TRUE(scored[3].status.ok());  // </s> alone
}

TEST(TranslatorTest, AnEmptySourceIsAnErrorIfTheModelTakesNone) {
  const auto translator = SmallWithoutEndOfSentence();
  const auto scored = *translator->ScoreBatch({{"", "w2"}, {"w2", "w3"}});
  EXPECT_THAT(scored[0].status.message(), HasSubstr("the source is empty"));
  EXPECT_TRUE(scored[1].status.ok());
}

// A source left empty by occlusion becomes <unk>.
TEST(TranslatorTest, OcclusionOfTheOnlyWord) {
  const auto translator = SmallWithoutEndOfSentence();
  TranslateOptions options;
  options.trace = TraceRequest{.occlusion = true};
  const auto scored = *translator->ScoreBatch({{"w5", "w2 w3"}, {"w5 w6", "w2"}}, options);
  const SentenceTrace& trace = scored[0].traces.at(0);
  ASSERT_EQ(trace.occlusion.size(), 3U);
  const auto unknown = *translator->ScoreBatch({{"unknown", "w2 w3"}});
  for (size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(trace.occlusion[i],
                scored[0].tokens[i].log_probability - unknown[0].tokens[i].log_probability, 1e-4);
  }
}

std::vector<std::string> GoldenSources() {
  std::vector<std::string> sources;
  std::ifstream in("tests/golden/align-tatoeba/source.eng");
  for (std::string line; std::getline(in, line);) sources.push_back(line);
  return sources;
}

TEST(TranslatorTest, ATextDoesNotDependOnItsBatchOrOnThreads) {
  const std::vector<std::string> sources = GoldenSources();
  ASSERT_EQ(sources.size(), 109U);
  const auto alone = [&](const std::string& source) { return *Shipped().Translate(source); };
  const auto one_thread =
      *Translator::Load(kModel, {.compute_type = ComputeType::kFloat32, .threads = 1});
  for (const int batch_size : {1, 7, 64}) {
    for (const Translator* translator :
         std::initializer_list<const Translator*>{&Shipped(), one_thread.get()}) {
      const auto together = translator->TranslateBatch(sources, {.batch_size = batch_size});
      ASSERT_TRUE(together.ok());
      for (size_t i = 0; i < sources.size(); i += 9) {
        const Translation expected = alone(sources[i]);
        EXPECT_EQ((*together)[i].text, expected.text);
        EXPECT_NEAR((*together)[i].score, expected.score, 1e-4);
      }
    }
  }
}

TEST(TranslatorTest, ManyThreadsMayUseOneTranslator) {
  const std::vector<std::string> sources = GoldenSources();
  const auto expected = *Shipped().TranslateBatch(sources);
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (size_t i = t; i < 24; i += 2) {
        EXPECT_EQ(Shipped().Translate(sources[i])->text, expected[i].text);
      }
    });
  }
}

// Each thread has options of its own and gets the same results as alone.
TEST(TranslatorTest, EightThreadsMixLengthsTracesAndOptions) {
  const std::string folder = TemporaryPath("model");
  ASSERT_TRUE(
      WriteNative(reference::RandomModel(reference::SmallConfig(), 1), folder, DType::kFloat32)
          .ok());
  const auto translator = *Translator::Load(folder, {.threads = 2});
  std::filesystem::remove_all(folder);
  std::vector<TranslateOptions> options(8);
  options[1].search.beam_size = 4;
  options[1].search.nbest = 3;
  options[2].trace = TraceRequest{};
  options[3].search.temperature = 1;
  options[4].search.alternatives = 3;
  options[5].trace = TraceRequest{.occlusion = true};
  options[5].search.beam_size = 2;
  options[6].search.repetition_penalty = 2;
  options[6].replace_unknowns = true;
  options[7].batch_size = 1;
  std::vector<std::string> texts(6);
  for (size_t i = 0; i < texts.size(); ++i) {
    for (size_t word = 0; word < 1 + 4 * i; ++word) {
      texts[i] += "w" + std::to_string(2 + (7 * i + word) % 30) + " ";
    }
  }
  // Returns all texts of the results, and the sizes of their traces.
  const auto run = [&](size_t i) {
    TranslateOptions mine = options[i];
    mine.search.max_output_tokens = 6;
    std::string seen;
    const auto translated = translator->TranslateBatch(texts, mine);
    EXPECT_TRUE(translated.ok()) << translated.status();
    for (const Translation& translation : *translated) {
      seen += translation.text + "\n";
      for (const NBestTranslation& other : translation.nbest) seen += other.text + "\n";
      for (const SentenceTrace& trace : translation.traces) {
        seen += std::to_string(trace.attentions.size()) + "\n";
      }
    }
    const auto scored = translator->ScoreBatch({{texts[1], texts[2]}}, mine);
    EXPECT_TRUE(scored.ok()) << scored.status();
    return seen;
  };
  std::vector<std::string> expected(options.size());
  for (size_t i = 0; i < options.size(); ++i) expected[i] = run(i);
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < options.size(); ++i) {
    threads.emplace_back([&, i] {
      for (int round = 0; round < 2; ++round) EXPECT_EQ(run(i), expected[i]) << "options " << i;
    });
  }
}

TEST(TranslatorTest, EachComputeTypeTranslates) {
  for (const ComputeType type : {ComputeType::kAuto, ComputeType::kInt8, ComputeType::kBFloat16}) {
    if (!IsSupported(type)) {
      EXPECT_EQ(Translator::Load(kModel, {.compute_type = type}).status().code(),
                absl::StatusCode::kUnimplemented);
      continue;
    }
    const auto translator = *Translator::Load(kModel, {.compute_type = type});
    EXPECT_EQ(translator->Translate("I love you very much.")->text, "Ich liebe dich sehr.")
        << ComputeTypeName(type);
  }
}

// The shipped model has a shortlist, from which drafts for single sentences come.
TEST(TranslatorTest, DraftsChangeNothingInAnyComputeType) {
  const std::vector<std::string> sources = GoldenSources();
  for (const ComputeType type : SupportedComputeTypes()) {
    const auto translator = *Translator::Load(kModel, {.compute_type = type});
    const auto together = *translator->TranslateBatch(sources);
    const auto alone = *translator->TranslateBatch(sources, {.batch_size = 1});
    for (size_t i = 0; i < sources.size(); ++i) {
      EXPECT_EQ(alone[i].text, together[i].text) << ComputeTypeName(type);
    }
  }
}

TEST(TranslatorTest, InvalidOptionsAreRejectedByName) {
  EXPECT_THAT(Shipped().Translate("a", {.batch_size = 0}).status().message(),
              HasSubstr("batch_size must be at least 1, not 0"));
  EXPECT_THAT(Shipped().Translate("a", {.batch_tokens = -1}).status().message(),
              HasSubstr("batch_tokens must be 0 (batches by batch_size) or more, not -1"));
  TraceRequest encoder;
  encoder.kinds = {AttentionKind::kEncoder};
  EXPECT_THAT(
      Shipped().Translate("a", {.trace = encoder, .replace_unknowns = true}).status().message(),
      HasSubstr("replace_unknowns takes cross-attention of all layers"));
  EXPECT_THAT(Shipped().Translate("a", {.search = {.max_output_tokens = -1}}).status().message(),
              HasSubstr("max_output_tokens must be 0"));
  EXPECT_THAT(Translator::Load(kModel, {.threads = -1}).status().message(),
              HasSubstr("threads must be 0"));
}

TEST(TranslatorTest, SizesBeyondTheLimitsAreRejectedByName) {
  const auto error = [](const TranslateOptions& options) {
    const auto translation = Shipped().Translate("a", options);
    EXPECT_TRUE(absl::IsInvalidArgument(translation.status()));
    return std::string(translation.status().message());
  };
  EXPECT_THAT(error({.batch_size = INT_MAX}), HasSubstr("batch_size must be at most 10000"));
  EXPECT_THAT(error({.batch_tokens = INT_MAX}), HasSubstr("batch_tokens must be at most 100000"));
  EXPECT_THAT(error({.search = {.beam_size = INT_MAX}}), HasSubstr("beam_size must be at most"));
  TraceRequest request;
  request.predictions = INT_MAX;
  EXPECT_THAT(error({.trace = request}), HasSubstr("predictions must be at most 1000"));
  EXPECT_THAT(Translator::Load(kModel, {.threads = 1025}).status().message(),
              HasSubstr("threads must be at most 1024, not 1025"));
}

TEST(TranslatorTest, TextsOverTheLimitAreRejectedByName) {
  const std::string text(kMaxTextBytes + 1, 'a');
  const auto error = [](const absl::Status& status) {
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    return std::string(status.message());
  };
  constexpr char kText[] = "a text of 100000001 bytes is too long";
  EXPECT_THAT(error(Shipped().Translate(text).status()), HasSubstr(kText));
  EXPECT_THAT(error(Shipped().TranslateBatch({text}).status()), HasSubstr(kText));
  EXPECT_THAT(error(Shipped().ScoreBatch({{"a", text}}).status()), HasSubstr(kText));
  EXPECT_THAT(error(Shipped().Translate("a", {.search = {.prefix = text}}).status()),
              HasSubstr("a prefix of 100000001 bytes"));
  EXPECT_THAT(error(Shipped().Translate("a", {.search = {.suppress = {text}}}).status()),
              HasSubstr("a phrase of 100000001 bytes"));
}

#if !LIMPID_SANITIZED
TEST(TranslatorTest, TheBuffersOfALargeBatchAreFreed) {
  const auto translator = *Translator::Load(kModel, {.threads = 1});
  const std::vector<std::string> usual(64, "The old man bought a red car yesterday.");
  const std::vector<std::string> many(2000, usual[0]);
  ASSERT_TRUE(translator->TranslateBatch(usual).ok());
  const size_t before = AllocatedBytes();
  ASSERT_TRUE(translator->TranslateBatch(usual).ok());
  EXPECT_LE(AllocatedBytes(), before + (1 << 20)) << "a usual batch reuses its buffers";
  ASSERT_TRUE(translator->TranslateBatch(many, {.batch_tokens = 50'000}).ok());
  EXPECT_LE(AllocatedBytes(), before + (1 << 20));
  // A beam's hypotheses and long translations fill buffers, too.
  ASSERT_TRUE(translator->Translate(usual[0], {.search = {.beam_size = 500}}).ok());
  EXPECT_LE(AllocatedBytes(), before + (1 << 20));
  ASSERT_TRUE(translator->TranslateBatch(usual, {.search = {.min_output_tokens = 300}}).ok());
  EXPECT_LE(AllocatedBytes(), before + (1 << 20));
}
#endif

TEST(TranslatorTest, AppliesSearchOptions) {
  const std::string text = "The old man bought a red car yesterday.";
  EXPECT_EQ(Text(text, {.search = {.beam_size = 4}}), Text(text));
  EXPECT_EQ(Text(text, {.search = {.prefix = "Gestern"}}),
            "Gestern hat der alte Mann ein rotes Auto gekauft.");
  EXPECT_THAT(Text(text, {.search = {.suppress = {"Auto"}}}), Not(HasSubstr("Auto")));
  EXPECT_EQ(Text(text, {.search = {.end_at = {"▁gestern"}}}), "Der alte Mann hat gestern");
  EXPECT_EQ(Text(text, {.search = {.end_at = {"gestern"}}}), "Der alte Mann hat gestern");
}

// "." also occurs within longer pieces, such as "▁sehr.".
TEST(TranslatorTest, SuppressedTextDoesNotOccurInAnyPiece) {
  const absl::StatusOr<Translation> translation =
      Shipped().Translate("I am tired.", {.search = {.suppress = {"."}}});
  ASSERT_TRUE(translation.ok()) << translation.status();
  EXPECT_EQ(translation->text.find('.'), std::string::npos) << translation->text;
}

// The model may split a word into other pieces than the tokenizer does.
TEST(TranslatorTest, SuppressedTextDoesNotOccurInAnyTokenization) {
  const std::string text = "My brother works in a big hospital.";
  ASSERT_THAT(Text(text), HasSubstr("großen"));
  const std::vector<SearchOptions> searches = {
      {}, {.beam_size = 4, .nbest = 4}, {.nbest = 20, .temperature = 1}, {.alternatives = 8}};
  for (SearchOptions search : searches) {
    for (const std::string forbidden : {"großen", "einem", "en Kr", "ß", "▁gro"}) {
      search.suppress = {forbidden};
      const auto translation = Shipped().Translate(text, {.search = search});
      ASSERT_TRUE(translation.ok()) << translation.status();
      const std::string found = absl::StrReplaceAll(forbidden, {{"▁", " "}});
      EXPECT_THAT(translation->text, Not(HasSubstr(found)));
      for (const NBestTranslation& other : translation->nbest) {
        EXPECT_THAT(other.text, Not(HasSubstr(found)));
      }
    }
  }
}

TEST(TranslatorTest, APrefixAppliesToTheFirstSentenceOnly) {
  const std::string text = Text("I am tired. I am here.", {.search = {.prefix = "Tom"}});
  EXPECT_THAT(text, StartsWith("Tom"));
  EXPECT_THAT(text, HasSubstr(". " + Text("I am here.")));
}

TEST(TranslatorTest, NBestOfSeveralSentencesAreTheBestCombinations) {
  const SearchOptions several = {.beam_size = 4, .nbest = 4};
  const auto first = Shipped().Translate("I am tired.", {.search = several});
  const auto second = Shipped().Translate("Where is the station?", {.search = several});
  const auto both = Shipped().Translate(" I am tired.  Where is the station?", {.search = several});
  ASSERT_TRUE(both.ok()) << both.status();
  std::vector<std::pair<double, std::string>> expected;
  for (const NBestTranslation& a : first->nbest) {
    for (const NBestTranslation& b : second->nbest) {
      expected.emplace_back(-a.ranking_score - b.ranking_score, " " + a.text + "  " + b.text);
    }
  }
  std::sort(expected.begin(), expected.end());
  ASSERT_EQ(both->nbest.size(), 4U);
  for (size_t i = 0; i < 4; ++i) {
    EXPECT_EQ(both->nbest[i].text, expected[i].second);
    EXPECT_NEAR(both->nbest[i].ranking_score, -expected[i].first, 1e-4);
  }
  EXPECT_EQ(both->nbest[0].text, both->text);
  EXPECT_EQ(both->nbest[0].score, both->score);
  EXPECT_EQ(both->nbest[0].tokens.size(), both->tokens.size());
}

TEST(TranslatorTest, ATextWithoutWordsHasOneTranslation) {
  for (const SearchOptions& options :
       {SearchOptions{.beam_size = 3, .nbest = 3}, SearchOptions{.nbest = 3, .temperature = 1},
        SearchOptions{.alternatives = 3}}) {
    const auto translation = Shipped().Translate(" \t", {.search = options});
    ASSERT_EQ(translation->nbest.size(), 1U);
    EXPECT_EQ(translation->nbest[0].text, " \t");
  }
}

TEST(TranslatorTest, ATraceFollowsTheWinningPathOfABeam) {
  const SearchOptions search = {.beam_size = 4};
  const std::vector<std::string> sources = GoldenSources();
  const auto source = std::find_if(sources.begin(), sources.end(), [&](const std::string& each) {
    return Text(each) != Text(each, {.search = search});  // greedy search finds another
  });
  ASSERT_NE(source, sources.end());
  const std::string text = *source;
  const auto plain = Shipped().Translate(text, {.search = search});
  const auto traced =
      Shipped().Translate(text, {.search = search, .trace = TraceRequest{.predictions = 1}});
  ASSERT_TRUE(traced.ok()) << traced.status();
  EXPECT_EQ(traced->text, plain->text);
  EXPECT_NE(traced->text, Text(text));
  ASSERT_EQ(traced->traces.size(), 1U);
  EXPECT_EQ(traced->traces[0].target.text, plain->text);
}

TEST(TranslatorTest, ScoresOfSearchedTranslationsAreThoseOfGivenOnes) {
  const std::string text = "The old man bought a red car yesterday.";
  for (const SearchOptions& options :
       {SearchOptions{.beam_size = 4, .length_penalty = 2}, SearchOptions{.prefix = "Gestern"},
        SearchOptions{.min_output_tokens = 12, .repetition_penalty = 3}}) {
    const auto found = Shipped().Translate(text, {.search = options});
    const auto given = Shipped().ScoreBatch({{text, found->text}});
    ASSERT_EQ(found->tokens.size(), (*given)[0].tokens.size()) << found->text;
    EXPECT_NEAR(found->score, (*given)[0].score, 1e-3);
  }
}

TEST(TranslatorTest, SamplesDoNotDependOnBatchThreadsOrOtherLines) {
  const std::vector<std::string> sources = GoldenSources();
  const SearchOptions search = {.temperature = 1, .seed = 3};
  const auto one_thread =
      *Translator::Load(kModel, {.compute_type = ComputeType::kFloat32, .threads = 1});
  const auto together = *Shipped().TranslateBatch(sources, {.search = search});
  const auto by_threes = *one_thread->TranslateBatch(sources, {.batch_size = 3, .search = search});
  for (size_t i = 0; i < sources.size(); ++i) {
    EXPECT_EQ(together[i].text, by_threes[i].text);
    if (i % 5 != 0) continue;
    EXPECT_EQ(Text(sources[i], {.search = search}), together[i].text);
  }
}

TEST(TranslatorTest, OptionsThatTheModelCannotMeetAreRejectedWithAReason) {
  const auto error = [](const TranslateOptions& options) {
    return std::string(Shipped().Translate("a", options).status().message());
  };
  EXPECT_THAT(error({.search = {.beam_size = 3, .temperature = 1}}), HasSubstr("use one of them"));
  EXPECT_THAT(error({.search = {.prefix = "Das ist gut", .max_output_tokens = 3}}),
              HasSubstr("prefix has 3 tokens"));
  EXPECT_THAT(error({.search = {.suppress = {""}}}), HasSubstr("suppress"));
  EXPECT_THAT(error({.search = {.end_at = {"gibtesnicht"}}}), HasSubstr("end_at"));
  EXPECT_THAT(error({.search = {.beam_size = 2, .nbest = 2}, .replace_unknowns = true}),
              HasSubstr("replace_unknowns is for one translation"));
}

TEST(TranslatorTest, AFolderWithoutAModelIsNamed) {
  const auto missing = Translator::Load("no/such/folder");
  EXPECT_EQ(missing.status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(missing.status().message(), HasSubstr("no/such/folder"));
  const auto wrong = Translator::Load("tests/engine");
  EXPECT_FALSE(wrong.ok());
  EXPECT_THAT(wrong.status().message(), HasSubstr("tests/engine"));
}

TEST(TranslatorTest, AModelOfAnotherFormatIsNamedWithTheCommandThatConvertsIt) {
  const auto translator = Translator::Load("tests/golden/ctranslate2/opennmt");
  EXPECT_THAT(translator.status().message(),
              HasSubstr("limpid convert --from=tests/golden/ctranslate2/opennmt --to=DIR"));
}

TEST(TranslatorTest, ABadSentencePieceModelIsNamed) {
  const std::string folder = TemporaryPath("model");
  std::filesystem::remove_all(folder);
  std::filesystem::copy(kModel, folder);
  std::ofstream(folder + "/source.spm") << "not a SentencePiece model";
  const auto translator = Translator::Load(folder);
  EXPECT_FALSE(translator.ok());
  EXPECT_THAT(translator.status().message(), HasSubstr(folder));
}

}  // namespace
}  // namespace limpid::internal

// Any bytes as text: translated, traced, aligned and scored. The first byte chooses the model.

#include <cstdlib>
#include <string>
#include <vector>

#include "limpid/alignment.h"
#include "tests/fuzz/small_translator.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

constexpr size_t kMaxBytes = 400;

void Run(std::string_view input) {
  if (input.empty()) return;
  const Translator& translator = ChooseTranslator(input.front());
  const std::string text(input.substr(1, kMaxBytes));
  const auto plain = translator.Translate(text, {.search = {.max_output_tokens = 4}});
  if (!plain.ok()) std::abort();  // no text is rejected
  TranslateOptions traced = {.search = {.max_output_tokens = 4}};
  traced.trace = TraceRequest{};
  traced.replace_unknowns = true;
  const auto found = translator.Translate(text, traced);
  if (!found.ok()) std::abort();
  const auto alignment = AlignText(found->traces, found->copies, SplitIntoWords(found->source),
                                   SplitIntoWords(found->text), {});
  if (!alignment.ok()) std::abort();
  // The source of a pair is one sentence and may be too long, which is an error.
  const size_t half = text.size() / 2;
  const std::vector<SentencePair> pairs = {{text.substr(0, half), text.substr(half)}};
  (void)translator.ScoreBatch(pairs, traced);
}

std::vector<std::string> Seeds() {
  const std::vector<std::string> texts = {"i love you. we sing!",
                                          " \t\r\n ",
                                          "a\u0301 ü 😀 👩‍👩‍👧 ﬁ",
                                          "\xff\xfe\xc3(\xed\xa0\x80",
                                          std::string("a\0b\x01\x7f", 5),
                                          ">>deu<< </s> <unk> <pad>",
                                          "\u202eabc\u202c \u200b\u200d\ufeff שלום",
                                          "w2 w3 w4 w31 x",
                                          "Dr. A. B. went… “Well?” ‘No.’ 3.14 e.g. x"};
  std::vector<std::string> seeds;
  for (size_t i = 0; i < SmallTranslators().size(); ++i) {
    for (const std::string& text : texts) seeds.push_back(static_cast<char>('0' + i) + text);
  }
  return seeds;
}

const bool registered = Register({"text", Run, Seeds});

}  // namespace
}  // namespace limpid::internal::fuzz

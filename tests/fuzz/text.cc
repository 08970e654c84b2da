// Text in: any bytes, translated, traced, aligned and scored.

#include <cstdlib>
#include <string>
#include <vector>

#include "engine/alignment.h"
#include "tests/fuzz/small_translator.h"
#include "tests/fuzz/target.h"

namespace limpid::fuzz {
namespace {

constexpr size_t kMaxBytes = 400;

void Run(std::string_view input) {
  const std::string text(input.substr(0, kMaxBytes));
  const auto plain = SmallTranslator().Translate(text, {.search = {.max_output_tokens = 4}});
  if (!plain.ok()) std::abort();  // no text is refused
  TranslateOptions traced = {.search = {.max_output_tokens = 4}};
  traced.trace = TraceRequest{};
  traced.replace_unknowns = true;
  const auto found = SmallTranslator().Translate(text, traced);
  if (!found.ok()) std::abort();
  const auto alignment = AlignText(found->traces, found->copies, SplitIntoWords(found->source),
                                   SplitIntoWords(found->text), {});
  if (!alignment.ok()) std::abort();
  // Of a pair the source is one sentence, which may be too long.
  const size_t half = text.size() / 2;
  const std::vector<SentencePair> pairs = {{text.substr(0, half), text.substr(half)}};
  (void)SmallTranslator().ScoreBatch(pairs, traced);
}

std::vector<std::string> Seeds() {
  return {"i love you. we sing!",
          " \t\r\n ",
          "a\u0301 ü 😀 👩‍👩‍👧 ﬁ",
          "\xff\xfe\xc3(\xed\xa0\x80",
          std::string("a\0b\x01\x7f", 5),
          ">>deu<< </s> <unk> <pad>",
          "\u202eabc\u202c \u200b\u200d\ufeff שלום",
          "Dr. A. B. went… “Well?” ‘No.’ 3.14 e.g. x"};
}

const bool registered = Register({"text", Run, Seeds});

}  // namespace
}  // namespace limpid::fuzz

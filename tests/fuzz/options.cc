// Options: every field of TranslateOptions, SearchOptions and TraceRequest from the input, over a
// model of each shape. They are either rejected or used to translate.

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "tests/fuzz/small_translator.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

// Takes values off the front of an input; zeros when it is used up.
class Source {
 public:
  explicit Source(std::string_view input) : input_(input) {}

  template <typename T>
  T Take() {
    T value{};
    const size_t size = std::min(sizeof(T), input_.size());
    if (size > 0) std::memcpy(&value, input_.data(), size);
    input_.remove_prefix(size);
    return value;
  }
  bool Flag() { return (Take<uint8_t>() & 1) != 0; }
  // Mostly small, some below zero, sometimes anything at all.
  int Number() {
    const int small = Take<int8_t>();
    return small == 127 ? Take<int32_t>() : small % 24;
  }
  // Mostly of a sensible size, sometimes any bits at all.
  double Real() {
    const int small = Take<int8_t>();
    return small == 127 ? Take<double>() : small / 32.0;
  }
  std::string Text() {
    const size_t wanted = Take<uint8_t>() % 32;  // before input_.size(), which it changes
    const size_t size = std::min(wanted, input_.size());
    std::string text(input_.substr(0, size));
    input_.remove_prefix(size);
    return text;
  }
  std::vector<std::string> Texts() {
    std::vector<std::string> texts(Take<uint8_t>() % 4);
    for (std::string& text : texts) text = Text();
    return texts;
  }
  std::vector<int> Numbers() {
    std::vector<int> numbers(Take<uint8_t>() % 4);
    for (int& number : numbers) number = Number();
    return numbers;
  }

 private:
  std::string_view input_;
};

SearchOptions TakeSearch(Source& source) {
  SearchOptions search;
  search.beam_size = source.Number();
  search.length_penalty = source.Real();
  search.nbest = source.Number();
  search.alternatives = source.Number();
  search.alternatives_at = source.Number();
  search.temperature = source.Real();
  search.top_k = source.Number();
  search.top_p = source.Real();
  search.seed = source.Take<uint64_t>();
  search.log_probabilities = source.Flag();
  search.prefix = source.Text();
  search.max_output_tokens = source.Number();
  search.min_output_tokens = source.Number();
  search.suppress = source.Texts();
  search.end_at = source.Texts();
  search.repetition_penalty = source.Real();
  search.no_repeat_ngram_size = source.Number();
  // Usually off, because conflicting options would be rejected before all others.
  const auto mask = source.Take<uint8_t>();
  if ((mask & 1) == 0) search.alternatives = 0;
  if ((mask & 2) == 0) search.temperature = 0;
  if ((mask & 4) == 0) search.nbest = 1;
  if ((mask & 8) == 0) search.top_k = 0;
  if ((mask & 16) == 0) search.top_p = 1;
  if (search.max_output_tokens == 0) search.max_output_tokens = 6;
  return search;
}

TraceRequest TakeTrace(Source& source) {
  TraceRequest request;
  for (const int kind : source.Numbers()) {
    request.kinds.push_back(static_cast<AttentionKind>(static_cast<unsigned>(kind) % 3));
  }
  request.layers = source.Numbers();
  request.heads = source.Numbers();
  request.scores = source.Flag();
  request.projections = source.Flag();
  request.context = source.Flag();
  request.output = source.Flag();
  request.head_output = source.Flag();
  request.norms = source.Flag();
  request.occlusion = source.Flag();
  request.predictions = source.Number();
  return request;
}

void Run(std::string_view input) {
  Source source(input);
  const Translator& translator = ChooseTranslator(source.Take<char>());
  TranslateOptions options;
  options.batch_size = source.Number();
  options.search = TakeSearch(source);
  options.batch_tokens = source.Number();
  options.split_sentences = source.Flag();
  options.replace_unknowns = source.Flag();
  if (source.Flag()) options.trace = TakeTrace(source);
  const std::vector<std::string> texts = {"i love you . we sing !", source.Text(), source.Text()};
  (void)translator.TranslateBatch(texts, options);
  const std::vector<SentencePair> pairs = {{texts[0], texts[1]}, {texts[1], texts[2]}};
  (void)translator.ScoreBatch(pairs, options);
}

// Bytes in the order in which Run takes them.
std::vector<std::string> Seeds() {
  const std::string beam("\x08\x04\x20\x03\0\xff\0\0\x20", 9);
  const std::string sample("\x02\x01\x20\x02\0\xff\x20\x05\x18", 9);
  const std::string alternatives("\x04\x01\x20\x01\x03\xff\0\0\x20", 9);
  const std::string seed("12345678", 8);
  const std::string rest("\x01\x01i\x06\x01\x01\x01u\x00\x20\x02", 11);
  const std::string trace("\x01\x01\x01\0\0\0\x01\x01\x01\x01\x01\x01\x01\x05\x04we s", 19);
  // The mask of options that stay on, then batch_tokens 0.
  const auto masked = [&](char mask) { return seed + rest + mask + '\0' + trace; };
  std::vector<std::string> seeds;
  for (size_t i = 0; i < SmallTranslators().size(); ++i) {
    const auto choice = static_cast<char>('0' + i);
    seeds.push_back(choice + beam + masked('\x04'));
    seeds.push_back(choice + sample + masked('\x1e'));
    seeds.push_back(choice + alternatives + masked('\x01'));
  }
  return seeds;
}

const bool registered = Register({"options", Run, Seeds});

}  // namespace
}  // namespace limpid::internal::fuzz

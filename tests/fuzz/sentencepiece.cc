// SentencePiece files. What passes the check must encode and decode.

#include <string>
#include <utility>
#include <vector>

#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"
#include "tokenizer/sentencepiece_check.h"
#include "tokenizer/sentencepiece_pieces.h"
#include "tokenizer/tokenizer.h"

namespace limpid::internal::fuzz {
namespace {

void Run(std::string_view input) {
  if (!CheckSentencePiece(input).ok()) return;
  auto pieces = SentencePiecePieces(input);
  if (!pieces.ok() || pieces->size() < 2) return;
  TokenizerModel model;
  model.source_sentencepiece = model.target_sentencepiece = input;
  model.source_vocabulary = model.target_vocabulary = *std::move(pieces);
  const auto tokenizer = Tokenizer::Create(std::move(model));
  if (!tokenizer.ok()) return;
  const Pieces encoded = (*tokenizer)->EncodeSource(" Grüße, ﬁne \t 😀 abc\u00ad e\u0301 ½");
  Pieces decoded;
  (void)(*tokenizer)->DecodeTarget(encoded.ids, &decoded);
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const char* path :
       {"base/source.spm", "separate_vocabularies/target.spm", "marian/pre_norm/trgvocab.spm",
        "marian/bergamot/vocab.ende.spm", "tokenizer/small.source.spm"}) {
    seeds.push_back(ReadFile(std::string("tests/golden/") + path));
  }
  return seeds;
}

const bool registered = Register({"sentencepiece", Run, Seeds});

}  // namespace
}  // namespace limpid::internal::fuzz

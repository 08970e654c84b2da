// Lexical shortlists, as given and with a corrected checksum, which lets the input past the check.

#include "models/native/shortlist.h"

#include <cstring>
#include <string>
#include <vector>

#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

constexpr int kSourceVocab = 40;
constexpr int kTargetVocab = 60;

// Sets the checksum; see models/native/shortlist.cc.
void Sign(std::string& bytes) {
  uint64_t hash = 0;
  for (size_t at = 16; at + 8 <= bytes.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, 8);
    hash ^= word + 0x9E3779B9 + (hash << 6) + (hash >> 2);
  }
  if (bytes.size() >= 16) std::memcpy(bytes.data() + 8, &hash, 8);
}

void Parse(const std::string& copy) {
  const auto shortlist = ParseShortlist(
      {reinterpret_cast<const std::byte*>(copy.data()), copy.size()}, kSourceVocab, kTargetVocab);
  if (!shortlist.ok()) return;
  uint64_t sum = shortlist->first_num;
  for (int id = 0; id < kSourceVocab; ++id) {
    for (const uint32_t candidate : shortlist->Candidates(id)) sum += candidate;
  }
  (void)FormatShortlist(*shortlist).size();
  volatile uint64_t used = sum;
  (void)used;
}

void Run(std::string_view input) {
  std::string copy(input);  // aligned
  Parse(copy);
  Sign(copy);
  Parse(copy);
}

std::vector<std::string> Seeds() {
  const std::vector<uint64_t> offsets = {0, 2, 2, 3};
  const std::vector<uint32_t> ids = {3, 59, 7};
  return {ReadFile("tests/golden/marian/bergamot/lex.10.4.ende.s2t.bin"),
          FormatShortlist({.first_num = 4, .best_num = 2, .offsets = offsets, .ids = ids})};
}

const bool registered = Register({"shortlist", Run, Seeds});

}  // namespace
}  // namespace limpid::internal::fuzz

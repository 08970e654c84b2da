// A fuzz target takes any bytes, and must not crash, hang or take unreasonable memory on any of
// them.
//
// Targets run under libFuzzer, one program each (libfuzzer_main.cc; see tests/fuzz/run), and in
// replay_test.cc, with their seeds and all earlier findings.

#ifndef LIMPID_TESTS_FUZZ_TARGET_H_
#define LIMPID_TESTS_FUZZ_TARGET_H_

#include <string>
#include <string_view>
#include <vector>

namespace limpid::internal::fuzz {

struct Target {
  const char* name;  // of its folder in tests/fuzz/corpus
  void (*run)(std::string_view input);
  std::vector<std::string> (*seeds)();  // valid inputs from tests/golden
};

// All targets that are linked in.
std::vector<Target>& Targets();

// Adds a target at program start: `const bool registered = Register({…});`.
bool Register(const Target& target);

}  // namespace limpid::internal::fuzz

#endif  // LIMPID_TESTS_FUZZ_TARGET_H_

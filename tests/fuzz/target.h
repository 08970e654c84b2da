// What a fuzz target is: something that takes any bytes at all, and must neither crash, hang nor
// take memory beyond reason on any of them.
//
// The same targets run in two ways: under libFuzzer, one program each (libfuzzer_main.cc; see
// tests/fuzz/run), and in replay_test.cc, which gives them their seeds and all that was ever found.

#ifndef LIMPID_TESTS_FUZZ_TARGET_H_
#define LIMPID_TESTS_FUZZ_TARGET_H_

#include <string>
#include <string_view>
#include <vector>

namespace limpid::internal::fuzz {

struct Target {
  const char* name;  // of its folder below tests/fuzz/corpus
  void (*run)(std::string_view input);
  std::vector<std::string> (*seeds)();  // sound inputs to begin with, made of tests/golden
};

// All targets that are linked in.
std::vector<Target>& Targets();

// Adds a target while the program starts: a file's `const bool registered = Register({…});`.
bool Register(const Target& target);

}  // namespace limpid::internal::fuzz

#endif  // LIMPID_TESTS_FUZZ_TARGET_H_

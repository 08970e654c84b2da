// Runs a target under libFuzzer. LIMPID_SEEDS=FOLDER in the environment first writes its seeds
// there.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <string>

#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

void WriteSeeds(const std::string& folder) {
  int number = 0;
  for (const std::string& seed : Targets().front().seeds()) {
    std::ofstream(folder + "/seed-" + std::to_string(number++), std::ios::binary) << seed;
  }
}

}  // namespace
}  // namespace limpid::internal::fuzz

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  if (const char* folder = std::getenv("LIMPID_SEEDS"); folder != nullptr) {
    limpid::internal::fuzz::WriteSeeds(folder);
  }
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  limpid::internal::fuzz::Targets().front().run({reinterpret_cast<const char*>(data), size});
  return 0;
}

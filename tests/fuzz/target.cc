#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {

std::vector<Target>& Targets() {
  static std::vector<Target>& targets = *new std::vector<Target>;
  return targets;
}

bool Register(const Target& target) {
  Targets().push_back(target);
  return true;
}

}  // namespace limpid::internal::fuzz

// Files of torch.save, which are zip archives of pickles, and pickles alone.

#include "models/formats/torch_file.h"

#include <string>
#include <vector>

#include "models/formats/pickle.h"
#include "tests/fuzz/model_folders.h"
#include "tests/fuzz/target.h"

namespace limpid::internal::fuzz {
namespace {

void Run(std::string_view input) {
  static const std::string path = ScratchFolder("torch_file") + "/model.pt";
  WriteFile(path, input);
  (void)ReadTorchFile(path);
  (void)ParsePickle({reinterpret_cast<const std::byte*>(input.data()), input.size()});
}

std::vector<std::string> Seeds() {
  std::vector<std::string> seeds;
  for (const char* name : {"expanded", "float64", "harmful", "list", "protocol_4", "state",
                           "state_legacy", "training", "whole_model"}) {
    seeds.push_back(ReadFile(std::string("tests/golden/torch_files/") + name + ".pt"));
  }
  return seeds;
}

const bool registered = Register({"torch_file", Run, Seeds});

}  // namespace
}  // namespace limpid::internal::fuzz

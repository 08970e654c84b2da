#include "tests/fuzz/model_folders.h"

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace limpid::internal::fuzz {
namespace {

namespace fs = std::filesystem;

// Removed when the program ends.
struct Scratch {
  Scratch() {
    const fs::path parent = fs::is_directory("/dev/shm") ? "/dev/shm" : fs::temp_directory_path();
    root = parent / ("limpid-fuzz-" + std::to_string(getpid()));
  }
  ~Scratch() {
    std::error_code ignored;
    fs::remove_all(root, ignored);
  }
  fs::path root;
};

size_t Digit(char digit, size_t count) { return static_cast<unsigned char>(digit - '0') % count; }

}  // namespace

std::string ScratchFolder(const std::string& name) {
  static const Scratch scratch;
  fs::create_directories(scratch.root / name);
  return scratch.root / name;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void WriteFile(const std::string& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

ModelFolders::ModelFolders(const std::string& name, const std::vector<Model>& models)
    : scratch_(ScratchFolder(name)), models_(models) {
  for (size_t i = 0; i < models_.size(); ++i) {
    Model& model = models_[i];
    const std::string copy = scratch_ + "/" + std::to_string(i);
    fs::copy(model.folder, copy);
    model.folder = copy;
    std::vector<std::string>& contents = contents_.emplace_back();
    for (const std::string& file : model.files) contents.push_back(ReadFile(copy + "/" + file));
  }
}

void ModelFolders::Run(std::string_view input, void (*read)(const std::string& path)) const {
  if (input.size() < 2) return;
  const size_t number = Digit(input[0], models_.size());
  const Model& model = models_[number];
  const size_t file = Digit(input[1], model.files.size());
  const std::string path = model.folder + "/" + model.files[file];
  WriteFile(path, input.substr(2));
  read(model.path.empty() ? model.folder : model.folder + "/" + model.path);
  WriteFile(path, contents_[number][file]);
}

std::vector<std::string> ModelFolders::Seeds() const {
  std::vector<std::string> seeds;
  for (size_t i = 0; i < models_.size(); ++i) {
    for (size_t j = 0; j < contents_[i].size(); ++j) {
      seeds.push_back(std::to_string(i) + std::to_string(j) + contents_[i][j]);
    }
  }
  return seeds;
}

}  // namespace limpid::internal::fuzz

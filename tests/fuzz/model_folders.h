// Fuzzing model readers: a valid model, one of whose files is replaced by the input.

#ifndef LIMPID_TESTS_FUZZ_MODEL_FOLDERS_H_
#define LIMPID_TESTS_FUZZ_MODEL_FOLDERS_H_

#include <string>
#include <string_view>
#include <vector>

namespace limpid::internal::fuzz {

// A folder of this process, in /dev/shm if that exists; removed when the program ends.
std::string ScratchFolder(const std::string& name);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, std::string_view bytes);

struct Model {
  std::string folder;
  std::string path;                // given to the reader, within the folder; empty: the folder
  std::vector<std::string> files;  // that an input may replace
};

// An input is a digit for the model, a digit for its file, and the contents of that file.
class ModelFolders {
 public:
  // Copies the models, so that their files can be replaced.
  ModelFolders(const std::string& name, const std::vector<Model>& models);

  // Replaces the file and calls `read` with the path of the model.
  void Run(std::string_view input, void (*read)(const std::string& path)) const;

  // The original files, as inputs.
  std::vector<std::string> Seeds() const;

 private:
  std::string scratch_;
  std::vector<Model> models_;  // copies
  std::vector<std::vector<std::string>> contents_;
};

}  // namespace limpid::internal::fuzz

#endif  // LIMPID_TESTS_FUZZ_MODEL_FOLDERS_H_

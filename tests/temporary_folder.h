// A folder for a test to write in, of its own however many tests run at a time, which goes with it.

#ifndef LIMPID_TESTS_TEMPORARY_FOLDER_H_
#define LIMPID_TESTS_TEMPORARY_FOLDER_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>

namespace limpid::internal {

class TemporaryFolder {
 public:
  TemporaryFolder() : path_(testing::TempDir() + "/limpid-XXXXXX") {
    EXPECT_NE(mkdtemp(path_.data()), nullptr) << path_;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  const std::string& path() const { return path_; }
  // Of a file or folder in it.
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

// A name of its own for each test, in a folder of its own for each run of the tests.
inline std::string TemporaryPath(const std::string& name) {
  static const TemporaryFolder folder;
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  std::string path = std::string(test->test_suite_name()) + "." + test->name() + "." + name;
  std::replace(path.begin(), path.end(), '/', '.');  // of tests with parameters
  return folder.path(path);
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_TEMPORARY_FOLDER_H_

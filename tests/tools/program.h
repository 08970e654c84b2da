// Runs programs in tests, by default `limpid`, whose path is LIMPID_PROGRAM, with the model
// models/eng-deu of the source tree.

#ifndef LIMPID_TESTS_TOOLS_PROGRAM_H_
#define LIMPID_TESTS_TOOLS_PROGRAM_H_

#include <fcntl.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <climits>
#include <csignal>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/temporary_folder.h"

namespace limpid::internal {

// A sentence and its translation by models/eng-deu.
inline constexpr char kEnglish[] = "The old man bought a red car yesterday.";
inline constexpr char kGerman[] = "Der alte Mann hat gestern ein rotes Auto gekauft.";
inline std::string EnglishLine() { return std::string(kEnglish) + "\n"; }
inline std::string GermanLine() { return std::string(kGerman) + "\n"; }

struct ProgramOptions {
  std::string path = LIMPID_PROGRAM;
  // Added to the environment: "NAME=value".
  std::vector<std::string> environment = {"LIMPID_MODEL=models/eng-deu"};
  // File descriptors for the program, which the caller closes; -1: a pipe.
  int input = -1;
  int output = -1;
  int error = -1;
};

// How a program ended, and what it printed.
struct Outcome {
  int exit_code = -1;  // as a shell has it: 128 + the number of the signal that ended it
  std::string output;
  std::string error;
  int64_t peak_kilobytes = 0;
};

// A running program. Its streams are pipes; reading blocks until it writes.
class Program {
 public:
  explicit Program(const std::vector<std::string>& arguments,
                   const ProgramOptions& options = ProgramOptions()) {
    std::signal(SIGPIPE, SIG_IGN);
    const std::array<int, 3> given = {options.input, options.output, options.error};
    std::array<int, 3> theirs = given;
    std::array<int*, 3> ours = {&input_, &output_, &error_};
    for (size_t i = 0; i < 3; ++i) {
      if (given[i] >= 0) continue;
      std::array<int, 2> ends = {};
      EXPECT_EQ(pipe2(ends.data(), O_CLOEXEC), 0);
      theirs[i] = i == 0 ? ends[0] : ends[1];
      *ours[i] = i == 0 ? ends[1] : ends[0];
    }
    Spawn(arguments, options, theirs);
    for (size_t i = 0; i < 3; ++i) {
      if (given[i] < 0) close(theirs[i]);
    }
  }
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program() {
    if (process_ > 0) {
      Kill(SIGKILL);
      Wait();
    }
    for (int* file : {&input_, &output_, &error_}) Close(file);
  }

  // Writes to standard input; returns whether the program accepted all of it.
  bool Send(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t count = write(input_, text.data(), text.size());
      if (count < 0) return false;
      text.remove_prefix(static_cast<size_t>(count));
    }
    return true;
  }
  void CloseInput() { Close(&input_); }
  void CloseOutput() { Close(&output_); }

  // Reads a line of standard output with its end; "" at the end of the output.
  std::string ReadLine() const {
    std::string line;
    char c = 0;
    while (read(output_, &c, 1) == 1) {
      line += c;
      if (c == '\n') break;
    }
    return line;
  }
  // Read the rest of standard output or standard error.
  std::string ReadOutput() const { return ReadAll(output_); }
  std::string ReadError() const { return ReadAll(error_); }

  // Waits until the output pipe is full.
  void WaitUntilOutputIsFull() const {
    const int capacity = fcntl(output_, F_GETPIPE_SZ);
    EXPECT_TRUE(WaitUntil([&] {
      int unread = 0;
      return ioctl(output_, FIONREAD, &unread) == 0 && unread > capacity - PIPE_BUF;
    }));
  }

  // Waits until a condition holds. Returns false if it does not before the program ends or a minute
  // has passed.
  template <typename Condition>
  bool WaitUntil(const Condition& condition) const {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition()) {
      siginfo_t info = {};
      const bool ended =
          waitid(P_PID, static_cast<id_t>(process_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 ||
          info.si_pid != 0;
      if (ended) return condition();
      if (std::chrono::steady_clock::now() > end) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  pid_t process() const { return process_; }

  void Kill(int signal_number) const { kill(process_, signal_number); }

  // Returns the exit code as a shell reports it.
  int Wait() {
    int status = 0;
    EXPECT_EQ(wait4(process_, &status, 0, &usage_), process_);
    process_ = -1;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  int64_t peak_kilobytes() const { return usage_.ru_maxrss; }

 private:
  static void Close(int* file) {
    if (*file >= 0) close(*file);
    *file = -1;
  }

  static std::string ReadAll(int file) {
    std::string text;
    std::array<char, 65536> buffer = {};
    ssize_t count = 0;
    while ((count = read(file, buffer.data(), buffer.size())) > 0) {
      text.append(buffer.data(), static_cast<size_t>(count));
    }
    return text;
  }

  void Spawn(const std::vector<std::string>& arguments, const ProgramOptions& options,
             const std::array<int, 3>& files) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 3; ++i) posix_spawn_file_actions_adddup2(&actions, files[i], i);

    std::vector<char*> argv = {const_cast<char*>(options.path.c_str())};
    for (const std::string& argument : arguments) {
      argv.push_back(const_cast<char*>(argument.c_str()));
    }
    argv.push_back(nullptr);
    std::vector<char*> environment;
    for (const std::string& variable : options.environment) {
      environment.push_back(const_cast<char*>(variable.c_str()));
    }
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const auto name = [](std::string_view v) { return v.substr(0, v.find('=')); };
      const bool replaced =
          std::any_of(options.environment.begin(), options.environment.end(),
                      [&](const std::string& ours) { return name(ours) == name(*variable); });
      // Without LIMPID_MODEL in `environment`, the program must not inherit one.
      if (!replaced && name(*variable) != "LIMPID_MODEL") environment.push_back(*variable);
    }
    environment.push_back(nullptr);
    EXPECT_EQ(posix_spawn(&process_, options.path.c_str(), &actions, nullptr, argv.data(),
                          environment.data()),
              0)
        << options.path;
    posix_spawn_file_actions_destroy(&actions);
  }

  pid_t process_ = -1;
  int input_ = -1;
  int output_ = -1;
  int error_ = -1;
  rusage usage_ = {};
};

// Runs a program to its end, with `input` on its standard input.
inline Outcome RunProgram(const std::vector<std::string>& arguments, const std::string& input = "",
                          const ProgramOptions& options = ProgramOptions()) {
  Program program(arguments, options);
  Outcome outcome;
  {
    const std::jthread sender([&program, &input] {
      program.Send(input);
      program.CloseInput();
    });
    const std::jthread error_reader([&program, &outcome] { outcome.error = program.ReadError(); });
    outcome.output = program.ReadOutput();
  }
  outcome.exit_code = program.Wait();
  outcome.peak_kilobytes = program.peak_kilobytes();
  return outcome;
}

// Runs `limpid translate`.
inline Outcome Translate(std::vector<std::string> arguments, const std::string& input = "",
                         const ProgramOptions& options = ProgramOptions()) {
  arguments.insert(arguments.begin(), "translate");
  return RunProgram(arguments, input, options);
}

inline std::string ReadTextFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

inline void WriteTextFile(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

inline int64_t CountLines(std::string_view text) {
  return std::count(text.begin(), text.end(), '\n');
}

}  // namespace limpid::internal

#endif  // LIMPID_TESTS_TOOLS_PROGRAM_H_

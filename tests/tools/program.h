// Runs the built program as a user would, in a process of its own.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>

#include "train/run/run_config.h"

namespace vllama::test {

struct Outcome {
  int status;          // exit status; 128 + n when signal n killed it
  std::string output;  // standard output and error
};

// `arguments` is shell text; `before` is shell text that runs first in the same shell.
Outcome run_program(const std::string& arguments, const std::string& before = "");

// The same in the background.
class BackgroundProgram {
 public:
  explicit BackgroundProgram(const std::string& arguments);
  ~BackgroundProgram();
  void signal(int number) const;
  int wait();  // the exit status, as in Outcome

 private:
  pid_t process_;
};

// Writes the configuration as a file and returns its path.
std::filesystem::path write_config(const train::RunConfig& config,
                                   const std::filesystem::path& file);

// Waits until `file` has `num_lines` lines; fails the test after a minute.
void wait_for_lines(const std::filesystem::path& file, std::int64_t num_lines);

}  // namespace vllama::test

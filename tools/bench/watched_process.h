// A long run seen from outside: a program in a process of its own, the lines of a file it writes,
// and moments at which this process itself stands still.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/process_usage.h"

namespace vllama::tools {

class WatchedProcess {
 public:
  // Starts the program, whose standard output goes to our standard error. Throws RunFailure.
  explicit WatchedProcess(const std::vector<std::string>& command);
  ~WatchedProcess();  // ends it
  WatchedProcess(const WatchedProcess&) = delete;
  WatchedProcess& operator=(const WatchedProcess&) = delete;

  bool is_running();
  // Once it has ended; 128 + n when signal n ended it.
  int exit_status() const { return exit_status_; }
  // The least of each measure over a quarter of a second: what the process holds all the time, not
  // what it holds while it reads one clip or writes a checkpoint. Nothing once it has ended.
  std::optional<ProcessUsage> least_usage() const;

 private:
  pid_t process_;
  bool is_running_ = true;
  int exit_status_ = 0;
};

// Counts the lines of a file that grows, and may not exist yet.
class LineCounter {
 public:
  explicit LineCounter(std::filesystem::path file) : file_(std::move(file)) {}
  std::int64_t count();

 private:
  std::filesystem::path file_;
  std::ifstream stream_;
  std::int64_t count_ = 0;
};

// Waits until no other thread of this process runs. Throws RunFailure after a minute.
void wait_until_idle();

// Waits as long as there is between two looks at a process.
void wait_between_looks();

}  // namespace vllama::tools

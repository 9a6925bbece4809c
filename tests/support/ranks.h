// The ranks of a run as processes of their own on this machine, started as a launcher would.
#pragma once

#include <sys/types.h>

#include <map>
#include <string>
#include <vector>

#include "tests/support/fixtures.h"

namespace vllama::test {

struct RankOutcome {
  int status;          // exit status; 128 + n when signal n killed it
  std::string output;  // standard output and error
};

// A port that no other program is given, until this object goes. One program may listen on it.
class HeldPort {
 public:
  HeldPort();
  ~HeldPort();
  HeldPort(const HeldPort&) = delete;
  HeldPort& operator=(const HeldPort&) = delete;

  int number() const { return number_; }

 private:
  int socket_;
  int number_;
};

class Ranks {
 public:
  // Starts `num_ranks` times the shell text `command`, with the variables of a launcher.
  Ranks(std::int64_t num_ranks, const std::string& command);
  // A command, and further variables, for every rank.
  explicit Ranks(const std::vector<std::string>& commands,
                 const std::map<std::string, std::string>& variables = {});
  // Kills what still runs.
  ~Ranks();
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  pid_t process(std::size_t rank) const { return processes_[rank]; }
  void signal(std::size_t rank, int number) const;
  // What the rank has printed so far.
  std::string output(std::size_t rank) const;

  // Waits for one rank, or for all; fails the test when that takes longer.
  RankOutcome wait(std::size_t rank, double limit_seconds = 60);
  std::vector<RankOutcome> wait_all(double limit_seconds = 60);

 private:
  TemporaryFolder folder_;
  HeldPort port_;
  std::vector<pid_t> processes_;  // 0 once it was waited for
};

}  // namespace vllama::test

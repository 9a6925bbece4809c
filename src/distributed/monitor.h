// Signs of life: a thread that tells the other ranks what this one is doing and finds out which of
// them is missing.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "distributed/diagnosis.h"
#include "distributed/store.h"

namespace vllama::distributed {

// Rank 0 watches all ranks and writes what it finds into the store; all others watch rank 0 and
// read that. So the traffic grows with the number of ranks, not with its square.
class Monitor {
 public:
  // `place` says in messages where this rank runs. The store must already hold a status of every
  // rank: publish_first_status() of all of them comes before.
  static void publish_first_status(Store& store, std::int64_t rank, const std::string& place);
  Monitor(Store store, const Launch& launch, const std::string& place, const Patience& patience);
  // Leaves the thread behind if it waits for a store that does not answer.
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  // What this rank does from now on.
  void enter(const std::string& activity, bool is_waiting);
  // Gave up waiting in the current activity: the others look for the reason now.
  void report_lost();
  // This rank ends with an error.
  void report_failure(const std::string& detail);
  // This rank ends as it should; nobody is looked for from now on.
  void leave();

  // Calls `tell` once, as a rule in the monitor's thread, as soon as a verdict is known.
  void when_decided(std::function<void(const std::string& verdict)> tell);
  // What is wrong with which ranks, once it is known.
  std::optional<std::string> verdict() const;
  // The same, after waiting for it at most so long.
  std::optional<std::string> wait_for_verdict(double seconds) const;

 private:
  struct State;
  std::shared_ptr<State> state_;  // also held by the thread
  std::thread thread_;
};

}  // namespace vllama::distributed

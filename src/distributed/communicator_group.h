// What a communicator of several ranks is made of.
#pragma once

#include <exception>
#include <string>
#include <vector>

#include "distributed/backend.h"
#include "distributed/communicator.h"
#include "distributed/monitor.h"
#include "distributed/operation_record.h"
#include "distributed/store_connection.h"

namespace vllama::distributed {

inline constexpr double kSuspectSeconds = 3;
// Two beats of the monitor on each side, and some.
inline constexpr double kVerdictSeconds = kSuspectSeconds + 5;

using Works = std::vector<c10::intrusive_ptr<c10d::Work>>;

// c10d's text up to its first line end: what follows is a stack of its own.
inline std::string first_line(const std::exception& error) {
  const std::string_view text = error.what();
  return std::string(text.substr(0, text.find('\n')));
}

struct Communicator::Group {
  Group(const Launch& launch, const DistributedConfig& config)
      : store(launch, config.join_timeout_seconds, config.silence_seconds) {}

  Store store;
  std::unique_ptr<Monitor> monitor;
  c10::intrusive_ptr<c10d::Backend> backend;
  c10::intrusive_ptr<c10d::Backend> local_backend;  // of the ranks on this machine
  Works works;                                      // under way, the last one for `purpose`
  std::string purpose;
  std::int64_t num_exchanges = 0;     // of texts
  std::vector<std::string> old_keys;  // that all ranks have read once the next gather is over
  OperationRecord operations;
  bool is_lost = false;
  bool others_know = false;  // that this rank ends with an error

  // A backend whose operation never ends cannot be destroyed: it would wait for it.
  ~Group() {
    if (!is_lost) return;
    backend.release();
    local_backend.release();
  }
};

}  // namespace vllama::distributed

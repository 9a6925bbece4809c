// Which rank holds up a run, worked out from what the ranks say of themselves.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace vllama::distributed {

// What rank 0 knows of a rank.
struct RankView {
  enum class State {
    working,
    lost,    // gave up waiting for others in its activity
    failed,  // ended with an error of its own
    left,    // ended as it should
  };

  std::int64_t rank = 0;
  std::string place;  // "rank 3 (node7, process 4711)"
  State state = State::working;
  std::string activity;         // "step 17: sum of the gradients"
  bool is_waiting = false;      // its activity is to wait for the other ranks
  double activity_seconds = 0;  // in this activity, when it was last heard of
  double silent_seconds = 0;    // since then
  double lost_seconds = 0;      // since it gave up
  std::string detail;           // the error of a rank that failed
};

// Silent ranks are dead: after `silent_seconds`, or after `suspect_seconds` once another rank gave
// up waiting.
struct Patience {
  double silent_seconds = 60, suspect_seconds = 3;
};

// What is wrong and with which ranks, one sentence, or nothing as long as nothing is. In this
// order: ranks that failed, ranks that are silent, and, some time after a rank gave up, ranks that
// are busy with something else, or the network if all wait in the same operation.
std::optional<std::string> diagnose(std::span<const RankView> ranks, const Patience& patience);

}  // namespace vllama::distributed

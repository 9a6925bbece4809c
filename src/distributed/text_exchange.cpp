// The members of a communicator that exchange texts, through the store alone.
#include <fmt/format.h>

#include <chrono>

#include "core/stopwatch.h"
#include "distributed/communicator_group.h"

namespace vllama::distributed {

// Runs what only uses the store.
template <class Action>
void Communicator::exchange(const std::string& what, Action action) {
  const auto start_time = std::chrono::steady_clock::now();
  try {
    action();
  } catch (const StoreLost& error) {
    give_up(what, seconds_since(start_time), first_line(error));
  }
}

// Waits for a text of another rank.
void Communicator::await(const std::string& key, const std::string& what) {
  constexpr double kSliceSeconds = 1;
  const auto begin = std::chrono::steady_clock::now();
  while (!group_->store.wait(key, kSliceSeconds))
    if (seconds_since(begin) > config_.timeout_seconds || group_->monitor->verdict())
      give_up(what, seconds_since(begin), "not done in time");
}

std::vector<std::string> Communicator::gather(const std::string& text, const std::string& what) {
  if (!group_) return {text};
  begin(what);
  const std::string prefix = fmt::format("gather/{}/", group_->num_exchanges++);
  std::vector<std::string> texts;
  exchange(what, [&] {
    group_->store.set(prefix + std::to_string(rank()), text);
    if (!is_first()) return;
    for (std::int64_t from = 0; from < num_ranks(); ++from) {
      const std::string key = prefix + std::to_string(from);
      await(key, what);
      texts.push_back(group_->store.find(key).value_or(""));
      group_->store.remove(key);
    }
    for (const std::string& key : group_->old_keys) group_->store.remove(key);
    group_->old_keys.clear();
  });
  end();
  return texts;
}

std::string Communicator::broadcast(const std::string& text, const std::string& what) {
  if (!group_) return text;
  begin(what);
  const std::string key = fmt::format("broadcast/{}", group_->num_exchanges++);
  std::string received = text;
  exchange(what, [&] {
    if (is_first()) {
      group_->store.set(key, text);
      group_->old_keys.push_back(key);
      return;
    }
    await(key, what);
    received = group_->store.find(key).value_or("");
  });
  end();
  return received;
}

std::string Communicator::decided_by_first(const std::function<std::string()>& decide,
                                           const std::string& what) {
  constexpr char kDecided = '+', kRefused = '-';
  std::string outcome;
  if (is_first()) {
    try {
      outcome = kDecided + decide();
    } catch (const UserError& mistake) {
      outcome = kRefused + std::string(mistake.what());
    }
  }
  outcome = broadcast(outcome, what);
  if (outcome.starts_with(kRefused)) {
    gather("", what);  // rank 0 stays until all have heard it
    if (group_) group_->others_know = true;
    throw UserError(outcome.substr(1));
  }
  return outcome.substr(1);
}

void Communicator::leave() {
  if (!group_) return;
  const std::string what = "end of the run";
  gather("", what);
  broadcast("", what);
  group_->monitor->leave();
  exchange(what, [&] {
    const std::string prefix = "left/";
    if (!is_first()) group_->store.set(prefix + std::to_string(rank()), "");
    for (std::int64_t from = 1; is_first() && from < num_ranks(); ++from)
      await(prefix + std::to_string(from), what);
  });
}

}  // namespace vllama::distributed

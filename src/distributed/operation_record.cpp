#include "distributed/operation_record.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/stopwatch.h"

namespace vllama::distributed {
namespace {

using WallClock = std::chrono::system_clock;

constexpr std::size_t kMostEntries = 200;

std::string utc_text(WallClock::time_point time) {
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03}Z", fmt::gmtime(WallClock::to_time_t(time)),
                     milliseconds % 1000);
}

}  // namespace

void OperationRecord::begin(const std::string& operation) {
  if (entries_.size() == kMostEntries) entries_.pop_front();
  entries_.push_back({.operation = operation, .start = WallClock::now()});
}

void OperationRecord::end() {
  entries_.back().seconds = seconds_since(entries_.back().start);
  entries_.back().is_done = true;
}

std::string OperationRecord::to_json() const {
  auto list = nlohmann::ordered_json::array();
  for (const Entry& entry : entries_)
    list.push_back({{"operation", entry.operation},
                    {"start", utc_text(entry.start)},
                    {"seconds", entry.is_done ? entry.seconds : seconds_since(entry.start)},
                    {"state", entry.is_done ? "done" : "under way"}});
  return list.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace vllama::distributed

// The last operations between ranks, for those who look into a failure.
#pragma once

#include <chrono>
#include <deque>
#include <string>

namespace vllama::distributed {

class OperationRecord {
 public:
  void begin(const std::string& operation);
  // The one that began last is done.
  void end();

  // A JSON array in the order of their beginnings: operation, start (UTC), seconds, state ("done",
  // or "under way" for one that never ended).
  std::string to_json() const;

 private:
  struct Entry {
    std::string operation;
    std::chrono::system_clock::time_point start;
    double seconds = 0;
    bool is_done = false;
  };
  std::deque<Entry> entries_;
};

}  // namespace vllama::distributed

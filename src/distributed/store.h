// Short texts that the ranks of a run share by name: how they meet, agree and report.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

#include "distributed/launch.h"

namespace vllama::distributed {

// The process that keeps the store is gone, or does not answer.
struct StoreLost : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// One connection; for use by one thread. All members throw StoreLost, at the latest when they got
// no answer for `patience_seconds`.
class Store {
 public:
  // Connects, on rank 0 after opening the store unless the launcher keeps it. Restarted runs do not
  // see each other's texts. Throws UserError if that does not succeed within `timeout_seconds`.
  Store(const Launch& launch, double timeout_seconds, double patience_seconds);
  ~Store();
  Store(Store&&) noexcept;

  // Another connection to the same store.
  Store another() const;

  void set(const std::string& key, const std::string& text);
  // Adds to a number, 0 at first, and returns the sum.
  std::int64_t add(const std::string& key, std::int64_t amount);
  std::optional<std::string> find(const std::string& key);
  // The texts of keys that are there.
  std::vector<std::string> get(const std::vector<std::string>& keys);
  // Whether the key was there before the time was over.
  bool wait(const std::string& key, double seconds);
  void remove(const std::string& key);

  struct Connection;  // store_connection.h
  const Connection& connection() const { return *connection_; }

 private:
  Store(std::unique_ptr<Connection> connection, double patience_seconds);
  // Runs a call of c10d on the connection.
  template <class Call>
  auto ask(Call call, double seconds = 0) const;

  std::unique_ptr<Connection> connection_;
  double patience_seconds_;
};

}  // namespace vllama::distributed

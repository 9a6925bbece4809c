#include "distributed/store.h"

#include <c10/util/Exception.h>
#include <fmt/format.h>

#include <chrono>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/error.h"
#include "distributed/store_connection.h"

namespace vllama::distributed {
namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

// Runs a call of c10d, whose exceptions are c10::Error.
template <class Call>
auto guarded(Call call) {
  try {
    return call();
  } catch (const c10::Error& error) {
    throw StoreLost(error.what_without_backtrace());
  }
}

}  // namespace

Store::Store(std::unique_ptr<Connection> connection) : connection_(std::move(connection)) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;

Store::Store(const Launch& launch, double timeout_seconds) {
  c10d::TCPStoreOptions options;
  options.port = launch.master_port;
  options.isServer = launch.rank == 0 && !launch.launcher_keeps_store;
  options.waitWorkers = false;
  options.timeout = milliseconds(timeout_seconds);
  try {
    auto tcp = c10::make_intrusive<c10d::TCPStore>(launch.master_address, options);
    connection_ = std::make_unique<Connection>(Connection{c10::make_intrusive<c10d::PrefixStore>(
        fmt::format("vllama/{}", launch.attempt), std::move(tcp))});
  } catch (const c10::Error& error) {
    const std::string reason = error.what_without_backtrace();
    throw UserError(
        options.isServer
            ? fmt::format("rank 0 cannot open port {} for the other ranks: {}; choose another "
                          "MASTER_PORT",
                          launch.master_port, reason)
            : fmt::format("rank {} cannot reach rank 0 at {}:{} within {} s: {}; see that "
                          "MASTER_ADDR and MASTER_PORT are the same on all ranks and that rank 0 "
                          "has started",
                          launch.rank, launch.master_address, launch.master_port, timeout_seconds,
                          reason));
  }
}

Store Store::another() const {
  return guarded(
      [&] { return Store(std::make_unique<Connection>(Connection{connection_->store->clone()})); });
}

void Store::set(const std::string& key, const std::string& text) {
  guarded([&] { connection_->store->set(key, text); });
}

std::int64_t Store::add(const std::string& key, std::int64_t amount) {
  return guarded([&] { return connection_->store->add(key, amount); });
}

std::optional<std::string> Store::find(const std::string& key) {
  return guarded([&]() -> std::optional<std::string> {
    if (!connection_->store->check({key})) return std::nullopt;
    return connection_->store->get_to_str(key);
  });
}

std::vector<std::string> Store::get(const std::vector<std::string>& keys) {
  return guarded([&] {
    std::vector<std::string> texts;
    for (const auto& bytes : connection_->store->multiGet(keys))
      texts.emplace_back(bytes.begin(), bytes.end());
    return texts;
  });
}

bool Store::wait(const std::string& key, double seconds) {
  try {
    connection_->store->wait({key}, milliseconds(seconds));
    return true;
  } catch (const c10::DistStoreError&) {
    return false;
  } catch (const c10::Error& error) {
    throw StoreLost(error.what_without_backtrace());
  }
}

void Store::remove(const std::string& key) {
  guarded([&] { return connection_->store->deleteKey(key); });
}

}  // namespace vllama::distributed

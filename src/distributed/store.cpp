#include "distributed/store.h"

#include <c10/util/Exception.h>
#include <c10/util/Logging.h>
#include <fmt/format.h>

#include <chrono>
#include <cstdlib>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "core/error.h"
#include "distributed/store_connection.h"
#include "distributed/time_limit.h"

namespace vllama::distributed {
namespace {

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3));
}

// c10d logs, with a stack, every wait that is over before its text is there. Who wants to see that
// sets TORCH_CPP_LOG_LEVEL.
void quieten_c10d() {
  constexpr int kFatalOnly = 3;
  if (std::getenv("TORCH_CPP_LOG_LEVEL") == nullptr) FLAGS_caffe2_log_level = kFatalOnly;
}

c10::intrusive_ptr<c10d::Store> connect(const std::string& address,
                                        const c10d::TCPStoreOptions& options,
                                        const std::string& prefix, double give_up_seconds) {
  return call_until(
      [=]() -> c10::intrusive_ptr<c10d::Store> {
        return c10::make_intrusive<c10d::PrefixStore>(
            prefix, c10::make_intrusive<c10d::TCPStore>(address, options));
      },
      [=](double seconds) { return seconds > give_up_seconds; });
}

}  // namespace

Store::Store(std::unique_ptr<Connection> connection, double patience_seconds)
    : connection_(std::move(connection)), patience_seconds_(patience_seconds) {}
Store::~Store() = default;
Store::Store(Store&&) noexcept = default;

Store::Store(const Launch& launch, double timeout_seconds, double patience_seconds)
    : patience_seconds_(patience_seconds) {
  quieten_c10d();
  c10d::TCPStoreOptions options;
  options.port = launch.master_port;
  options.isServer = launch.rank == 0 && !launch.launcher_keeps_store;
  options.waitWorkers = false;
  options.timeout = milliseconds(timeout_seconds);
  std::string reason;
  try {
    connection_ = std::make_unique<Connection>(
        Connection{connect(launch.master_address, options, fmt::format("vllama/{}", launch.attempt),
                           timeout_seconds + patience_seconds)});
    return;
  } catch (const c10::Error& error) {
    reason = error.what_without_backtrace();
  } catch (const NoAnswer& silence) {
    reason = silence.what();
  }
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

template <class Call>
auto Store::ask(Call call, double seconds) const {
  try {
    return call_until(
        [call, store = connection_->store] { return call(*store); },
        [limit = seconds + patience_seconds_](double so_far) { return so_far > limit; });
  } catch (const c10::Error& error) {
    throw StoreLost(error.what_without_backtrace());
  } catch (const NoAnswer& silence) {
    throw StoreLost(silence.what());
  }
}

Store Store::another() const {
  return {std::make_unique<Connection>(
              Connection{ask([](c10d::Store& store) { return store.clone(); })}),
          patience_seconds_};
}

void Store::set(const std::string& key, const std::string& text) {
  ask([=](c10d::Store& store) { store.set(key, text); });
}

std::int64_t Store::add(const std::string& key, std::int64_t amount) {
  return ask([=](c10d::Store& store) { return store.add(key, amount); });
}

std::optional<std::string> Store::find(const std::string& key) {
  return ask([=](c10d::Store& store) -> std::optional<std::string> {
    if (!store.check({key})) return std::nullopt;
    return store.get_to_str(key);
  });
}

std::vector<std::string> Store::get(const std::vector<std::string>& keys) {
  return ask([=](c10d::Store& store) {
    std::vector<std::string> texts;
    for (const auto& bytes : store.multiGet(keys)) texts.emplace_back(bytes.begin(), bytes.end());
    return texts;
  });
}

bool Store::wait(const std::string& key, double seconds) {
  return ask(
      [=](c10d::Store& store) {
        try {
          store.wait({key}, milliseconds(seconds));
          return true;
        } catch (const c10::DistStoreError&) {
          return false;
        }
      },
      seconds);
}

void Store::remove(const std::string& key) {
  ask([=](c10d::Store& store) { return store.deleteKey(key); });
}

}  // namespace vllama::distributed

#include "distributed/communicator.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <thread>
#include <torch/csrc/distributed/c10d/FlightRecorder.hpp>

#include "core/log.h"
#include "distributed/communicator_group.h"
#include "distributed/meeting.h"

namespace vllama::distributed {
namespace {

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string place_of(std::int64_t rank) {
  return fmt::format("rank {} ({}, process {})", rank, host_name(), ::getpid());
}

}  // namespace

Communicator::Communicator() = default;

Communicator::Communicator(const Launch& launch, const DistributedConfig& config, at::Device device)
    : launch_(launch), config_(config) {
  if (launch.num_ranks == 1) return;
  // Writing to a rank that is gone is an error to report. (Gloo would let the signal end us.)
  ::signal(SIGPIPE, SIG_IGN);
  group_ = std::make_unique<Group>(launch, config);
  try {
    join();
  } catch (const StoreLost& error) {
    throw RankFailure(fmt::format(
        "rank {} lost the store of the run at {}:{} while the ranks were joining: {}; {}",
        launch.rank, launch.master_address, launch.master_port, first_line(error),
        launch.launcher_keeps_store ? "the launcher keeps it"
                                    : "rank 0 keeps it, look at its output"));
  }
  connect_ranks(device);
}

void Communicator::join() {
  Store& store = group_->store;
  const std::string place = place_of(launch_.rank);
  check_in(store, launch_, place, config_.join_timeout_seconds);
  Monitor::publish_first_status(store, launch_.rank, place);
  meet(store, launch_, config_.join_timeout_seconds);
  group_->monitor = std::make_unique<Monitor>(store.another(), launch_, place,
                                              Patience{config_.silence_seconds, kSuspectSeconds});
}

Communicator::~Communicator() = default;

void Communicator::enter(const std::string& activity) {
  activity_ = activity;
  if (group_) group_->monitor->enter(activity, false);
}

void Communicator::begin(const std::string& what) {
  group_->monitor->enter(what, true);
  group_->operations.begin(what);
}

void Communicator::end() {
  group_->operations.end();
  group_->monitor->enter(activity_, false);
}

void Communicator::give_up(const std::string& what, double seconds, const std::string& cause) {
  Monitor& monitor = *group_->monitor;
  group_->is_lost = true;
  monitor.report_lost();
  const auto verdict = monitor.wait_for_verdict(kVerdictSeconds);
  if (group_->backend) group_->backend->abort();
  if (group_->local_backend && group_->local_backend != group_->backend)
    group_->local_backend->abort();
  throw RankFailure(
      fmt::format("rank {} gave up waiting for other ranks in '{}' after {:.1f} s: {}", rank(),
                  what, seconds, verdict.value_or("no rank could be named (" + cause + ")")));
}

void Communicator::when_failed(std::function<void(const std::string& verdict)> tell) {
  if (group_) group_->monitor->when_decided(std::move(tell));
}

void Communicator::fail(const std::string& reason) noexcept try {
  if (!group_ || !group_->monitor || group_->others_know) return;
  if (!group_->is_lost) {
    group_->is_lost = true;
    group_->monitor->report_failure(reason);
    if (!is_first()) group_->monitor->wait_for_verdict(kVerdictSeconds);
  }
  if (is_first() && !launch_.launcher_keeps_store) std::this_thread::sleep_for(kLingerTime);
} catch (const std::exception& error) {
  log::warn("cannot tell the other ranks: {}", error.what());
}

std::string Communicator::flight_record() const {
  if (!group_) return {};
  using Json = nlohmann::ordered_json;
  const auto parsed = [](const std::string& text) {
    return Json::parse(text, nullptr, /*allow_exceptions=*/false);
  };
  return Json{{"rank", rank()},
              {"ranks", num_ranks()},
              {"operations", parsed(group_->operations.to_json())},
              {"libtorch", parsed(c10d::dump_fr_trace_json(/*includeCollectives=*/true,
                                                           /*onlyActive=*/false))}}
      .dump();
}

}  // namespace vllama::distributed

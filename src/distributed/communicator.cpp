#include "distributed/communicator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <torch/csrc/distributed/c10d/FlightRecorder.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>

#include "core/log.h"
#include "distributed/backend.h"
#include "distributed/monitor.h"
#include "distributed/operation_record.h"
#include "distributed/store_connection.h"
#include "distributed/time_limit.h"

namespace vllama::distributed {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kSuspectSeconds = 3;
// Two beats of the monitor on each side, and some.
constexpr double kVerdictSeconds = kSuspectSeconds + 5;
constexpr auto kLingerTime = std::chrono::milliseconds(2500);

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string place_of(std::int64_t rank) {
  return fmt::format("rank {} ({}, process {})", rank, host_name(), ::getpid());
}

// c10d's text up to its first line end: what follows is a stack of its own.
std::string first_line(std::string_view text) {
  return std::string(text.substr(0, text.find('\n')));
}

constexpr const char* kNumRanks = "ranks";
constexpr const char* kMisfit = "misfit";  // why the ranks that came cannot be a run
constexpr const char* kStart = "start";    // what rank 0 says once all have come

[[noreturn]] void refuse_to_join(Store& store, const std::string& reason) {
  store.set(kMisfit, reason);
  throw UserError(reason);
}

// Two processes that claim one number come from two launches with one meeting point.
void claim_rank(Store& store, const Launch& launch) {
  const std::int64_t num_claims = store.add(fmt::format("claims/{}", launch.rank), 1);
  if (num_claims == 1) return;
  const auto status = store.find(fmt::format("status/{}", launch.rank));
  const auto parsed = nlohmann::json::parse(status.value_or(""), nullptr, false);
  const std::string first = parsed.is_object() ? parsed.value("place", "") : "";
  refuse_to_join(
      store, fmt::format("{} is the second process that claims this rank at {}:{}{}; start every "
                         "rank once, and give each run a MASTER_PORT of its own",
                         place_of(launch.rank), launch.master_address, launch.master_port,
                         first.empty() ? "" : "; the first one is " + first));
}

// On rank 0: waits for all others; returns what is wrong with them.
std::string missing_or_misfit(Store& store, const Launch& launch, double timeout_seconds) {
  constexpr double kSliceSeconds = 0.5;
  const auto begin = Clock::now();
  std::vector<std::int64_t> missing;
  for (std::int64_t rank = 0; rank < launch.num_ranks; ++rank) {
    bool is_there = false;
    double left = timeout_seconds;
    do {
      left = timeout_seconds - seconds_since(begin);
      is_there = store.wait(fmt::format("status/{}", rank), std::clamp(left, 0.01, kSliceSeconds));
      if (const auto misfit = store.find(kMisfit)) return *misfit;
    } while (!is_there && left > 0);
    if (!is_there) missing.push_back(rank);
  }
  if (missing.empty()) return {};
  return fmt::format(
      "of {} ranks, these did not start within {} s: {}; look at their output, or raise "
      "distributed.join_timeout_seconds",
      launch.num_ranks, timeout_seconds, fmt::join(missing, ", "));
}

// Waits until every rank has published its status; rank 0 says how it went.
void meet(Store& store, const Launch& launch, double timeout_seconds) {
  if (launch.rank == 0) {
    const std::string problem = missing_or_misfit(store, launch, timeout_seconds);
    store.set(kStart, problem);
    if (problem.empty()) return;
    std::this_thread::sleep_for(kLingerTime);
    throw UserError(problem);
  }
  if (!store.wait(kStart, timeout_seconds + kVerdictSeconds))
    throw UserError(fmt::format("rank {}: rank 0 did not start the run within {} s", launch.rank,
                                timeout_seconds));
  if (const auto problem = store.find(kStart); problem && !problem->empty())
    throw UserError(*problem);
}

// Rank 0 says how many ranks there are; the others compare.
void compare_num_ranks(Store& store, const Launch& launch, double timeout_seconds) {
  if (launch.rank == 0) return store.set(kNumRanks, std::to_string(launch.num_ranks));
  if (!store.wait(kNumRanks, timeout_seconds))
    throw UserError(fmt::format("rank {}: rank 0 did not come to the store of the run within {} s",
                                launch.rank, timeout_seconds));
  const std::string num_ranks = store.find(kNumRanks).value_or("");
  if (num_ranks != std::to_string(launch.num_ranks))
    refuse_to_join(store, fmt::format("{} was told of {} ranks, rank 0 of {}; start all with the "
                                      "same launcher",
                                      place_of(launch.rank), launch.num_ranks, num_ranks));
}

}  // namespace

struct Communicator::Group {
  Group(const Launch& launch, const DistributedConfig& config)
      : store(launch, config.join_timeout_seconds, config.silence_seconds) {}

  Store store;
  std::unique_ptr<Monitor> monitor;
  c10::intrusive_ptr<c10d::Backend> backend;
  std::int64_t num_exchanges = 0;     // of texts
  std::vector<std::string> old_keys;  // that all ranks have read once the next gather is over
  OperationRecord operations;
  bool is_lost = false;
  bool others_know = false;  // that this rank ends with an error

  // A backend whose operation never ends cannot be destroyed: it would wait for it.
  ~Group() {
    if (is_lost) backend.release();
  }
};

Communicator::Communicator() = default;

Communicator::Communicator(const Launch& launch, const DistributedConfig& config, at::Device device)
    : launch_(launch), config_(config) {
  if (launch.num_ranks == 1) return;
  group_ = std::make_unique<Group>(launch, config);
  try {
    join();
  } catch (const StoreLost& error) {
    throw RankFailure(fmt::format(
        "rank {} lost the store of the run at {}:{} while the ranks were joining: {}; {}",
        launch.rank, launch.master_address, launch.master_port, first_line(error.what()),
        launch.launcher_keeps_store ? "the launcher keeps it"
                                    : "rank 0 keeps it, look at its output"));
  }
  refuse_shared_gpus(device);
  connect(device);
}

void Communicator::join() {
  Store& store = group_->store;
  const std::string place = place_of(launch_.rank);
  claim_rank(store, launch_);
  compare_num_ranks(store, launch_, config_.join_timeout_seconds);
  Monitor::publish_first_status(store, launch_.rank, place);
  meet(store, launch_, config_.join_timeout_seconds);
  group_->monitor = std::make_unique<Monitor>(store.another(), launch_, place,
                                              Patience{config_.silence_seconds, kSuspectSeconds});
}

Communicator::~Communicator() = default;

void Communicator::refuse_shared_gpus(at::Device device) {
  const auto gpus = gather(gpu_identity(device), "comparison of the GPUs");
  decided_by_first(
      [&] {
        std::map<std::string, std::vector<std::int64_t>> ranks_of;
        for (std::size_t rank = 0; rank < gpus.size(); ++rank)
          if (!gpus[rank].empty()) ranks_of[gpus[rank]].push_back(static_cast<std::int64_t>(rank));
        for (const auto& [gpu, ranks] : ranks_of)
          if (ranks.size() > 1)
            throw UserError(fmt::format(
                "ranks {} are on the same GPU; start one rank per GPU, each with a LOCAL_RANK of "
                "its own, and see that CUDA_VISIBLE_DEVICES shows every rank its GPU",
                fmt::join(ranks, ", ")));
        return std::string();
      },
      "comparison of the GPUs");
}

void Communicator::connect(at::Device device) {
  const std::string what = "connection of all ranks";
  const auto start = Clock::now();
  const auto timeout = std::chrono::milliseconds(
      static_cast<std::int64_t>((config_.timeout_seconds + kVerdictSeconds) * 1e3));
  begin(what);
  std::string cause;
  try {
    const auto store = c10::make_intrusive<c10d::PrefixStore>(
        "tensors", group_->store.another().connection().store);
    group_->backend = call_until(
        [store, device, timeout, launch = launch_] {
          return device.is_cuda() ? make_nccl(store, launch, device, timeout)
                                  : make_gloo(store, launch, timeout);
        },
        [this](double seconds) {
          return seconds > config_.timeout_seconds || group_->monitor->verdict();
        });
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    cause = first_line(error.what());
  }
  if (!cause.empty()) give_up(what, seconds_since(start), cause);
  end();
}

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

template <class Start>
void Communicator::run(Start start, const std::string& what) {
  if (!group_) return;
  const auto start_time = Clock::now();
  begin(what);
  std::string cause;
  try {
    const c10::intrusive_ptr<c10d::Work> work = start(*group_->backend);
    while (!work->isCompleted() && cause.empty()) {
      const double seconds = seconds_since(start_time);
      std::this_thread::sleep_for(std::chrono::microseconds(seconds < 0.01 ? 50 : 500));
      if (seconds > config_.timeout_seconds || group_->monitor->verdict())
        cause = "not done in time";
    }
    if (cause.empty()) work->wait();
  } catch (const std::exception& error) {
    cause = first_line(error.what());
  }
  if (!cause.empty()) give_up(what, seconds_since(start_time), cause);
  seconds_ += seconds_since(start_time);
  end();
}

void Communicator::sum(at::Tensor& tensor, const std::string& what) {
  VLLAMA_ASSERT(tensor.is_contiguous(), "ranks add up contiguous tensors");
  std::vector<at::Tensor> tensors{tensor};
  run([&](c10d::Backend& backend) { return backend.allreduce(tensors); }, what);
}

void Communicator::broadcast(at::Tensor& tensor, const std::string& what) {
  VLLAMA_ASSERT(tensor.is_contiguous(), "ranks copy contiguous tensors");
  std::vector<at::Tensor> tensors{tensor};
  run([&](c10d::Backend& backend) { return backend.broadcast(tensors); }, what);
}

// Runs what only uses the store.
template <class Action>
void Communicator::exchange(const std::string& what, Action action) {
  const auto start = Clock::now();
  try {
    action();
  } catch (const StoreLost& error) {
    give_up(what, seconds_since(start), first_line(error.what()));
  }
}

// Waits for a text of another rank.
void Communicator::await(const std::string& key, const std::string& what) {
  constexpr double kSliceSeconds = 1;
  const auto begin = Clock::now();
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

void Communicator::give_up(const std::string& what, double seconds, const std::string& cause) {
  Monitor& monitor = *group_->monitor;
  group_->is_lost = true;
  monitor.report_lost();
  const auto verdict = monitor.wait_for_verdict(kVerdictSeconds);
  if (group_->backend) group_->backend->abort();
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

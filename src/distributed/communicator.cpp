#include "distributed/communicator.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>
#include <torch/csrc/distributed/c10d/FlightRecorder.hpp>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <utility>

#include "core/log.h"
#include "core/stopwatch.h"
#include "distributed/backend.h"
#include "distributed/meeting.h"
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

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

std::string place_of(std::int64_t rank) {
  return fmt::format("rank {} ({}, process {})", rank, host_name(), ::getpid());
}

// c10d's text up to its first line end: what follows is a stack of its own.
std::string first_line(const std::exception& error) {
  const std::string_view text = error.what();
  return std::string(text.substr(0, text.find('\n')));
}

using Works = std::vector<c10::intrusive_ptr<c10d::Work>>;

c10::intrusive_ptr<c10d::Work> start_copies(c10d::Backend& backend, const at::Tensor& tensor,
                                            std::int64_t from) {
  std::vector<at::Tensor> tensors{tensor};
  c10d::BroadcastOptions options;
  options.rootRank = from;
  return backend.broadcast(tensors, options);
}

}  // namespace

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
  refuse_shared_gpus(device);
  connect(group_->backend, "tensors", launch, device, "connection of all ranks");
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

// `backend` moves the tensors of `among` afterwards, who meet under a name of their own.
template <class Backend>
void Communicator::connect(Backend& backend, const std::string& name, const Launch& among,
                           at::Device device, const std::string& what) {
  const auto start_time = Clock::now();
  const auto timeout = std::chrono::milliseconds(
      static_cast<std::int64_t>((config_.timeout_seconds + kVerdictSeconds) * 1e3));
  begin(what);
  std::string cause;
  try {
    const auto store =
        c10::make_intrusive<c10d::PrefixStore>(name, group_->store.another().connection().store);
    backend = call_until(
        [=] {
          return device.is_cuda() ? make_nccl(store, among, device, timeout)
                                  : make_gloo(store, among, timeout);
        },
        [this](double seconds) {
          return seconds > config_.timeout_seconds || group_->monitor->verdict();
        });
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    cause = first_line(error);
  }
  if (!cause.empty()) give_up(what, seconds_since(start_time), cause);
  end();
}

void Communicator::check_local_ranks() {
  const std::string what = "comparison of the machines";
  const auto machines =
      gather(fmt::format("{} {}", rank() - local_rank(), num_local_ranks()), what);
  decided_by_first(
      [&] {
        std::size_t first = 0;  // of a machine
        while (first < machines.size()) {
          std::size_t end = first;
          while (end < machines.size() && machines[end] == machines[first]) ++end;
          if (machines[first] != fmt::format("{} {}", first, end - first))
            throw UserError(fmt::format(
                "distributed.shard_language_model: the ranks of a machine must have consecutive "
                "numbers, but those on the machine of rank {} have not; place ranks machine by "
                "machine (srun --distribution=block, mpirun --map-by slot)",
                first));
          first = end;
        }
        return std::string();
      },
      what);
}

void Communicator::connect_local_ranks(at::Device device) {
  if (!group_) return;
  check_local_ranks();
  if (num_local_ranks() == num_ranks()) {
    group_->local_backend = group_->backend;
    return;
  }
  if (num_local_ranks() == 1) return;
  Launch among = launch_;
  among.rank = launch_.local_rank;
  among.num_ranks = launch_.num_local_ranks;
  const std::string name = fmt::format("tensors/{}", rank() - local_rank());
  connect(group_->local_backend, name, among, device, "connection of the ranks of a machine");
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
void Communicator::start(Start start, const std::string& what) {
  if (!group_) return;
  if (group_->works.empty()) group_->operations.begin(what);
  group_->purpose = what;
  try {
    for (const auto& work : start()) group_->works.push_back(work);
  } catch (const std::exception& error) {
    give_up(what, 0, first_line(error));
  }
}

void Communicator::finish() {
  if (!group_ || group_->works.empty()) return;
  const auto start_time = Clock::now();
  const Works works = std::exchange(group_->works, {});
  group_->monitor->enter(group_->purpose, true);
  std::string cause;
  try {
    for (const auto& work : works) {
      while (!work->isCompleted() && cause.empty()) {
        const double seconds = seconds_since(start_time);
        std::this_thread::sleep_for(std::chrono::microseconds(seconds < 0.01 ? 50 : 500));
        if (seconds > config_.timeout_seconds || group_->monitor->verdict())
          cause = "not done in time";
      }
      if (!cause.empty()) break;
      work->wait();
    }
  } catch (const std::exception& error) {
    cause = first_line(error);
  }
  if (!cause.empty()) give_up(group_->purpose, seconds_since(start_time), cause);
  seconds_ += seconds_since(start_time);
  end();
}

void Communicator::sum(at::Tensor& tensor, const std::string& what) {
  start_sum(tensor, what);
  finish();
}

void Communicator::start_sum(at::Tensor& tensor, const std::string& what) {
  VLLAMA_ASSERT(tensor.is_contiguous(), "ranks add up contiguous tensors");
  std::vector<at::Tensor> tensors{tensor};
  start([&] { return Works{group_->backend->allreduce(tensors)}; }, what);
}

void Communicator::broadcast(at::Tensor& tensor, const std::string& what, std::int64_t from) {
  VLLAMA_ASSERT(tensor.is_contiguous(), "ranks copy contiguous tensors");
  start([&] { return Works{start_copies(*group_->backend, tensor, from)}; }, what);
  finish();
}

// Parts of different sizes: a broadcast of each, in place, all of them under way at once.
void Communicator::all_gather(at::Tensor& whole, std::span<const std::int64_t> part_ends,
                              const std::string& what) {
  VLLAMA_ASSERT(whole.is_contiguous() && std::ssize(part_ends) == num_ranks() &&
                    part_ends.back() == whole.numel(),
                "every rank has a part of a contiguous tensor");
  const auto start_all = [&] {
    Works works;
    std::int64_t begin = 0;
    for (std::int64_t rank = 0; rank < num_ranks(); ++rank) {
      const std::int64_t end = part_ends[static_cast<std::size_t>(rank)];
      if (end > begin)
        works.push_back(start_copies(*group_->backend, whole.view(-1).slice(0, begin, end), rank));
      begin = end;
    }
    return works;
  };
  start(start_all, what);
  finish();
}

void Communicator::start_local_gather(at::Tensor& whole, const std::string& what) {
  VLLAMA_ASSERT(whole.is_contiguous() && whole.numel() % num_local_ranks() == 0,
                "the ranks of a machine have equal parts of a contiguous tensor");
  if (num_local_ranks() == 1) return;
  const std::int64_t part_size = whole.numel() / num_local_ranks();
  at::Tensor own_part = whole.view(-1).narrow(0, part_size * local_rank(), part_size);
  start([&] { return Works{group_->local_backend->_allgather_base(whole, own_part)}; }, what);
}

// Runs what only uses the store.
template <class Action>
void Communicator::exchange(const std::string& what, Action action) {
  const auto start_time = Clock::now();
  try {
    action();
  } catch (const StoreLost& error) {
    give_up(what, seconds_since(start_time), first_line(error));
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

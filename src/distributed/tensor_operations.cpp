// The members of a communicator that move tensors.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <chrono>
#include <map>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <utility>

#include "core/stopwatch.h"
#include "distributed/communicator_group.h"
#include "distributed/time_limit.h"

namespace vllama::distributed {
namespace {

using Clock = std::chrono::steady_clock;

c10::intrusive_ptr<c10d::Work> start_copies(c10d::Backend& backend, const at::Tensor& tensor,
                                            std::int64_t from) {
  std::vector<at::Tensor> tensors{tensor};
  c10d::BroadcastOptions options;
  options.rootRank = from;
  return backend.broadcast(tensors, options);
}

}  // namespace

void Communicator::connect_ranks(at::Device device) {
  refuse_shared_gpus(device);
  connect(group_->backend, "tensors", launch_, device, "connection of all ranks");
}

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

template <class Start>
void Communicator::start(Start start, const std::string& what) {
  if (!group_) return;
  // Operations under way together are one in the record: they end together.
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
        // libtorch's own wait could not be told that a rank has died. Most operations are over at
        // once, so the first looks come quickly.
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
                fmt::format("{} parts of a tensor of {} elements for {} ranks, the last up to {}",
                            part_ends.size(), whole.numel(), num_ranks(),
                            part_ends.empty() ? 0 : part_ends.back()));
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
  VLLAMA_ASSERT(
      whole.is_contiguous() && whole.numel() % num_local_ranks() == 0,
      fmt::format("{} elements are no equal parts of {} ranks", whole.numel(), num_local_ranks()));
  if (num_local_ranks() == 1) return;
  const std::int64_t part_size = whole.numel() / num_local_ranks();
  at::Tensor own_part = whole.view(-1).narrow(0, part_size * local_rank(), part_size);
  start([&] { return Works{group_->local_backend->_allgather_base(whole, own_part)}; }, what);
}

}  // namespace vllama::distributed

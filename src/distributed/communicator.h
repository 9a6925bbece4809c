// The ranks of a run as one of them sees the others: sums of tensors, exchange of short texts, and
// errors that say which rank is missing.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "distributed/distributed_config.h"
#include "distributed/launch.h"

namespace vllama::distributed {

// Another rank died, hangs, or cannot be reached; the message names it, the operation and the step.
struct RankFailure : RunFailure {
  using RunFailure::RunFailure;
};

// All ranks must call the members marked "together", in the same order. A member that waits for
// other ranks throws RankFailure when one is missing, at the latest after
// DistributedConfig::timeout_seconds; the communicator is of no use afterwards. For one thread.
class Communicator {
 public:
  // A run of one process: every operation is done at once.
  Communicator();
  // Joins the ranks of `launch`, which compute on `device` (of this process). Together. Throws
  // UserError naming the ranks that did not come, or that claim the same number or the same GPU.
  Communicator(const Launch& launch, const DistributedConfig& config, at::Device device);
  ~Communicator();
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  std::int64_t rank() const { return launch_.rank; }
  std::int64_t num_ranks() const { return launch_.num_ranks; }
  bool is_first() const { return launch_.rank == 0; }
  // On this machine.
  std::int64_t local_rank() const { return launch_.local_rank; }
  std::int64_t num_local_ranks() const { return launch_.num_local_ranks; }

  // Tells the other ranks what this one is doing: "step 17: forward and backward".
  void enter(const std::string& activity);
  const std::string& activity() const { return activity_; }

  // Together: the sum over all ranks, the same bits on each. `tensor` is contiguous, on the device
  // of the run. `what` names it in messages: "step 17: sum of the gradients".
  void sum(at::Tensor& tensor, const std::string& what);
  // Begins the same; nobody touches the tensor until finish(). Other operations on tensors may
  // begin meanwhile, in the same order on all ranks, and are under way together.
  void start_sum(at::Tensor& tensor, const std::string& what);
  // Together: the values of rank `from`, everywhere.
  void broadcast(at::Tensor& tensor, const std::string& what, std::int64_t from = 0);
  // Together: `whole` [N] lies end to end in one part per rank, which ends before element
  // part_ends[rank]; every part becomes what it is on its rank. Parts may be empty.
  void all_gather(at::Tensor& whole, std::span<const std::int64_t> part_ends,
                  const std::string& what);

  // Together: from now on the ranks of a machine may work on tensors among themselves. Throws
  // UserError on all ranks if those of a machine do not follow each other.
  void connect_local_ranks(at::Device device);
  // Together on a machine: begins to bring every rank's part of `whole` [num_local_ranks * P], a
  // contiguous tensor, to the others; see start_sum().
  void start_local_gather(at::Tensor& whole, const std::string& what);
  // Waits for all that was started, if anything was.
  void finish();

  // Together: rank 0 gets the texts of all ranks in their order, the others nothing.
  std::vector<std::string> gather(const std::string& text, const std::string& what);
  // Together: rank 0's text, everywhere; the others' is not looked at.
  std::string broadcast(const std::string& text, const std::string& what);
  // Together: what `decide` gives on rank 0, where alone it runs. A UserError of it is thrown on
  // all ranks.
  std::string decided_by_first(const std::function<std::string()>& decide, const std::string& what);

  // Calls `tell` once, in another thread, when it is known which rank is missing, whatever this one
  // is busy with.
  void when_failed(std::function<void(const std::string& verdict)> tell);
  // This rank is about to end with an error: tells the others, unless they know it already, and
  // gives them time to hear it. Never throws.
  void fail(const std::string& reason) noexcept;
  // Together: the run is over, nobody waits for this rank any more.
  void leave();

  // Seconds spent so far in operations on tensors, waiting for slower ranks included.
  double seconds() const { return seconds_; }

  // The last operations, as this rank and as libtorch saw them, JSON; empty for one process.
  std::string flight_record() const;

 private:
  struct Group;

  void join();
  void connect_ranks(at::Device device);
  void refuse_shared_gpus(at::Device device);
  void check_local_ranks();
  template <class Backend>
  void connect(Backend& backend, const std::string& name, const Launch& among, at::Device device,
               const std::string& what);
  void begin(const std::string& what);
  void end();
  template <class Start>
  void start(Start start, const std::string& what);
  template <class Action>
  void exchange(const std::string& what, Action action);
  void await(const std::string& key, const std::string& what);
  [[noreturn]] void give_up(const std::string& what, double seconds, const std::string& cause);

  Launch launch_;
  DistributedConfig config_;
  std::unique_ptr<Group> group_;  // null for one process
  std::string activity_ = "starting";
  double seconds_ = 0;
};

}  // namespace vllama::distributed

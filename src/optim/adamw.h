// AdamW over the flat buffers: a fused update for every range that shares weight decay and rate.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <map>
#include <string>

#include "distributed/communicator.h"
#include "optim/adamw_config.h"
#include "optim/flat_shard.h"

namespace vllama::optim {

// Decoupled weight decay (Loshchilov, Hutter 2019), with bias correction from step 1:
//   p -= lr * decay * p;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
//   p -= lr * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon)
// Both moments are fp32, flat, on the parameters' device; they do not depend on the rates.
class AdamW {
 public:
  // `parameters` must outlive the optimizer.
  AdamW(FlatParameters& parameters, const AdamWConfig& config);
  // Holds the moments of a shard alone, and updates no other parameters.
  AdamW(FlatParameters& parameters, const AdamWConfig& config, FlatShard shard);

  // Updates the parameters in place from their gradients, which it leaves as they are, each at
  // `learning_rate` times its own factor.
  void step(double learning_rate);
  // Together: takes over the parameters that other ranks updated, those outside the shard.
  void share_update(distributed::Communicator& ranks, const std::string& what);

  std::int64_t num_steps() const { return num_steps_; }

  // "<name>.exp_avg" and "<name>.exp_avg_sq", shaped as the parameters, fp32, and "step", an int64
  // scalar. The moments are views: write or copy them before the next step. Not of a shard.
  std::map<std::string, at::Tensor> state() const;
  // Together: the state on rank 0, nothing elsewhere. The moments of shards are copies in host
  // memory.
  std::map<std::string, at::Tensor> state_on_first(distributed::Communicator& ranks) const;

  // Takes over what state() returned, from any device; "step" may be of any number type. Checks
  // everything first: one UserError names every missing, unexpected, misshaped or mistyped entry,
  // and then nothing has changed. With a shard, keeps the tensors until copy_from_first().
  void load_state(const std::map<std::string, at::Tensor>& state);

  // Together: takes over the state that rank 0 has loaded.
  void copy_from_first(distributed::Communicator& ranks);

 private:
  void check(const std::map<std::string, at::Tensor>& state) const;
  void update(const FlatRange& range, double learning_rate);
  std::map<std::string, at::Tensor> named_state(const at::Tensor& exp_avg,
                                                const at::Tensor& exp_avg_sq) const;
  ReadPiece loaded(const char* moment) const;

  FlatParameters& parameters_;
  AdamWConfig config_;
  FlatShard shard_;
  // S elements of the shard
  at::Tensor exp_avg_;     // [S] running mean of the gradients
  at::Tensor exp_avg_sq_;  // [S] running mean of their squares
  at::Tensor step_count_;  // fp32 scalar on the device, as the fused kernel reads it
  std::int64_t num_steps_ = 0;
  std::map<std::string, at::Tensor> loaded_;  // of which other ranks have not got their parts
};

}  // namespace vllama::optim

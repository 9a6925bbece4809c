// The sum of the gradients over ranks, part of it while backward still computes.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "distributed/communicator.h"
#include "optim/flat_parameters.h"

namespace vllama::optim {

// Early gradients are added up one by one, from the last slot to the first, each as soon as those
// before it are on their way: the same order on every rank, whatever its backward pass does. All
// others, and what goes with the gradients, follow when backward has ended.
class GradientSum {
 public:
  // `is_early` tells slots whose gradient is complete once a backward pass has added to it; they
  // must lie next to each other. Both parameters and ranks outlive this.
  GradientSum(FlatParameters& parameters, distributed::Communicator& ranks,
              const std::function<bool(const FlatSlot&)>& is_early);
  ~GradientSum();
  GradientSum(const GradientSum&) = delete;
  GradientSum& operator=(const GradientSum&) = delete;

  // The next backward pass of this rank, if it has one, is the last before finish(). `what` names
  // the sum in messages.
  void expect_last_backward(const std::string& what);
  // Together, after expect_last_backward() on all ranks: FlatParameters::gradients_and_extra()
  // becomes the sum over all ranks.
  void finish();

 private:
  void note_complete(std::size_t index);
  void start_next();

  FlatParameters& parameters_;
  distributed::Communicator& ranks_;
  std::vector<std::size_t> early_;  // slots in the order in which they are added up
  std::vector<bool> is_complete_;   // by place in early_
  std::size_t num_started_ = 0;
  bool is_last_backward_ = false;
  std::string what_;
};

}  // namespace vllama::optim

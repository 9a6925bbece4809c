// All trained parameters in one flat buffer and their gradients in another, so that a step, a norm
// and an all-reduce are one operation each.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vllama::optim {

// Whether weight decay applies, by the rule of the published training: not to tensors of fewer than
// two dimensions, nor to names that contain "bias", "ln" or "bn". Query tokens and position
// embeddings therefore decay.
bool decays(std::string_view name, std::int64_t num_dimensions);

// A parameter to be trained: contiguous fp32. The tensor is a handle; the model keeps its own.
struct TrainedParameter {
  std::string name;
  at::Tensor tensor;
  bool decays;
  double learning_rate_factor = 1;  // its rate, in units of the optimizer's
};

// Where a parameter lies in the flat buffers, counted in elements.
struct FlatSlot {
  std::string name;
  std::vector<std::int64_t> shape;
  std::int64_t offset;
  std::int64_t num_elements;
  bool decays;
  double learning_rate_factor;
};

// A contiguous part of the flat buffers that is updated alike.
struct FlatRange {
  std::int64_t offset;
  std::int64_t num_elements;
  bool decays;
  double learning_rate_factor;
};

// Owns the two flat buffers. Construction moves the values of every parameter into the first one
// and turns the model's own tensors into leaves that are views of it, with gradients that are views
// of the second; backward() then adds into the flat gradients in place.
//
// The decayed parameters come first, then the others, each group in the order given: the place of a
// slot in slots() is the flat index of the published optimizer state.
class FlatParameters {
 public:
  // All parameters must be fp32, contiguous, on one device, of distinct names, and no two may share
  // memory; anything else is an InternalError. At least one is needed.
  // `num_extra` numbers follow the gradients, to be added up over ranks together with them.
  explicit FlatParameters(std::span<const TrainedParameter> in_model_order,
                          std::int64_t num_extra = 0);

  const std::vector<FlatSlot>& slots() const { return slots_; }
  std::int64_t num_elements() const { return num_elements_; }
  // The longest runs of slots with the same decay and learning-rate factor, which cover all.
  std::vector<FlatRange> ranges() const;

  // Where the flat buffers are cut into `num_parts` contiguous parts of about the same size: the
  // end of each. Updating a part gives the same bits as updating all: the fused kernel computes
  // what is left over at the end of a range in another way than its full vectors, so the cuts lie
  // a multiple of 64 elements behind the start of a range. Parts may be empty.
  std::vector<std::int64_t> part_ends(std::int64_t num_parts) const;

  // Shape [num_elements], fp32. They share memory with the model's parameters and gradients.
  const at::Tensor& flat_parameters() const { return values_; }
  const at::Tensor& flat_gradients() const { return gradients_; }
  // Shape [num_elements + num_extra], fp32: the gradients, and what goes with them.
  at::Tensor& gradients_and_extra() { return gradients_and_extra_; }

  // `action` runs whenever a backward pass has added to the gradient of slots()[slot]; nullptr: no
  // more.
  void after_gradient(std::size_t slot, std::function<void()> action);

  // Sets every gradient, and what goes with them, to zero and keeps the views in place.
  void zero_gradients();

  // Views by name, shaped as the parameters, outside autograd.
  std::map<std::string, at::Tensor> named_parameters() const;
  std::map<std::string, at::Tensor> named_gradients() const;

  // A buffer laid out like the parameters (for instance a moment of the optimizer), seen as one
  // slot.
  static at::Tensor view(const at::Tensor& flat, const FlatSlot& slot);

 private:
  std::vector<FlatSlot> slots_;
  std::vector<at::Tensor> parameters_;  // the model's leaves, slot by slot
  at::Tensor values_;
  at::Tensor gradients_and_extra_, gradients_;
  std::int64_t num_elements_ = 0;
};

}  // namespace vllama::optim

#include "optim/flat_parameters.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <fmt/format.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <memory>
#include <set>
#include <utility>

#include "core/error.h"

namespace vllama::optim {
namespace {

void check(std::span<const TrainedParameter> parameters) {
  VLLAMA_ASSERT(!parameters.empty(), "there is nothing to train");
  std::set<std::string> names;
  std::set<const void*> memory;
  for (const auto& [name, tensor, decay, learning_rate_factor] : parameters) {
    VLLAMA_ASSERT(names.insert(name).second, fmt::format("'{}' is listed twice", name));
    VLLAMA_ASSERT(tensor.defined(), fmt::format("'{}' has no tensor", name));
    VLLAMA_ASSERT(tensor.scalar_type() == at::kFloat, fmt::format("'{}' is not fp32", name));
    VLLAMA_ASSERT(tensor.is_contiguous(), fmt::format("'{}' is not contiguous", name));
    VLLAMA_ASSERT(tensor.is_leaf(), fmt::format("'{}' is the result of a computation", name));
    VLLAMA_ASSERT(tensor.device() == parameters.front().tensor.device(),
                  fmt::format("'{}' is on another device", name));
    VLLAMA_ASSERT(tensor.numel() > 0, fmt::format("'{}' is empty", name));
    VLLAMA_ASSERT(memory.insert(tensor.const_data_ptr()).second,
                  fmt::format("'{}' shares its memory with another parameter", name));
    VLLAMA_ASSERT(learning_rate_factor >= 0,
                  fmt::format("'{}' has a negative learning rate", name));
  }
}

struct ActionAfterGradient : torch::autograd::PostAccumulateGradHook {
  explicit ActionAfterGradient(std::function<void()> what) : action(std::move(what)) {}
  void operator()(const at::Tensor&) override { action(); }
  std::function<void()> action;
};

std::map<std::string, at::Tensor> named_views(const at::Tensor& flat,
                                              const std::vector<FlatSlot>& slots) {
  std::map<std::string, at::Tensor> views;
  for (const FlatSlot& slot : slots) views.emplace(slot.name, FlatParameters::view(flat, slot));
  return views;
}

}  // namespace

bool decays(std::string_view name, std::int64_t num_dimensions) {
  if (num_dimensions < 2) return false;
  for (const std::string_view part : {"bias", "ln", "bn"})
    if (name.find(part) != std::string_view::npos) return false;
  return true;
}

FlatParameters::FlatParameters(std::span<const TrainedParameter> in_model_order,
                               std::int64_t num_extra) {
  check(in_model_order);
  for (const bool group : {true, false}) {
    for (const auto& [name, tensor, decay, learning_rate_factor] : in_model_order) {
      if (decay != group) continue;
      slots_.push_back(
          {name, tensor.sizes().vec(), num_elements_, tensor.numel(), decay, learning_rate_factor});
      parameters_.push_back(tensor);
      num_elements_ += tensor.numel();
    }
  }
  const auto options = in_model_order.front().tensor.options().requires_grad(false);
  values_ = at::empty({num_elements_}, options);
  gradients_and_extra_ = at::zeros({num_elements_ + num_extra}, options);
  gradients_ = gradients_and_extra_.narrow(0, 0, num_elements_);
  for (std::size_t i = 0; i < slots_.size(); ++i) {
    const at::Tensor value = view(values_, slots_[i]);
    value.copy_(parameters_[i].detach());
    parameters_[i].set_data(value);
    parameters_[i].set_requires_grad(true);
    parameters_[i].mutable_grad() = view(gradients_, slots_[i]);
  }
}

std::vector<FlatRange> FlatParameters::ranges() const {
  std::vector<FlatRange> ranges;
  for (const FlatSlot& slot : slots_) {
    const bool continues = !ranges.empty() && ranges.back().decays == slot.decays &&
                           ranges.back().learning_rate_factor == slot.learning_rate_factor;
    if (continues)
      ranges.back().num_elements += slot.num_elements;
    else
      ranges.push_back({slot.offset, slot.num_elements, slot.decays, slot.learning_rate_factor});
  }
  return ranges;
}

std::vector<std::int64_t> FlatParameters::part_ends(std::int64_t num_parts) const {
  constexpr std::int64_t kVectorElements = 64;
  const std::vector<FlatRange> all = ranges();
  std::vector<std::int64_t> ends;
  for (std::int64_t part = 1; part < num_parts; ++part) {
    const std::int64_t even = num_elements_ / num_parts * part;
    const auto range = std::ranges::upper_bound(all, even, {}, &FlatRange::offset) - 1;
    ends.push_back(even - (even - range->offset) % kVectorElements);
  }
  ends.push_back(num_elements_);
  return ends;
}

void FlatParameters::after_gradient(std::size_t slot, std::function<void()> action) {
  std::unique_ptr<ActionAfterGradient> hook;
  if (action) hook = std::make_unique<ActionAfterGradient>(std::move(action));
  torch::autograd::impl::set_post_acc_grad_hooks(parameters_[slot], std::move(hook));
}

void FlatParameters::zero_gradients() {
  gradients_and_extra_.zero_();
}

std::map<std::string, at::Tensor> FlatParameters::named_parameters() const {
  return named_views(values_, slots_);
}

std::map<std::string, at::Tensor> FlatParameters::named_gradients() const {
  return named_views(gradients_, slots_);
}

at::Tensor FlatParameters::view(const at::Tensor& flat, const FlatSlot& slot) {
  return flat.narrow(0, slot.offset, slot.num_elements).view(slot.shape);
}

}  // namespace vllama::optim

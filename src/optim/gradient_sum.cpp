#include "optim/gradient_sum.h"

#include "core/error.h"

namespace vllama::optim {

GradientSum::GradientSum(FlatParameters& parameters, distributed::Communicator& ranks,
                         const std::function<bool(const FlatSlot&)>& is_early)
    : parameters_(parameters), ranks_(ranks) {
  if (ranks.num_ranks() == 1) return;
  const std::vector<FlatSlot>& slots = parameters.slots();
  for (std::size_t slot = slots.size(); slot-- > 0;) {
    if (!is_early(slots[slot])) continue;
    VLLAMA_ASSERT(early_.empty() || early_.back() == slot + 1, "early slots are neighbours");
    parameters.after_gradient(slot, [this, index = early_.size()] { note_complete(index); });
    early_.push_back(slot);
  }
  is_complete_.resize(early_.size());
}

GradientSum::~GradientSum() {
  for (const std::size_t slot : early_) parameters_.after_gradient(slot, nullptr);
}

void GradientSum::expect_last_backward(const std::string& what) {
  what_ = what;
  num_started_ = 0;
  is_complete_.assign(early_.size(), false);
  is_last_backward_ = true;
}

void GradientSum::note_complete(std::size_t index) {
  if (!is_last_backward_) return;
  VLLAMA_ASSERT(!is_complete_[index], "a backward pass adds to an early gradient once");
  is_complete_[index] = true;
  while (num_started_ < early_.size() && is_complete_[num_started_]) start_next();
}

void GradientSum::start_next() {
  const FlatSlot& slot = parameters_.slots()[early_[num_started_++]];
  at::Tensor gradient = parameters_.gradients_and_extra().narrow(0, slot.offset, slot.num_elements);
  ranks_.start_sum(gradient, what_);
}

void GradientSum::finish() {
  is_last_backward_ = false;
  while (num_started_ < early_.size()) start_next();
  at::Tensor& all = parameters_.gradients_and_extra();
  if (early_.empty()) {
    ranks_.start_sum(all, what_);
  } else {
    const FlatSlot& first = parameters_.slots()[early_.back()];
    const FlatSlot& last = parameters_.slots()[early_.front()];
    at::Tensor before = all.slice(0, 0, first.offset);
    at::Tensor behind = all.slice(0, last.offset + last.num_elements);
    ranks_.start_sum(before, what_);
    ranks_.start_sum(behind, what_);
  }
  ranks_.finish();
}

}  // namespace vllama::optim

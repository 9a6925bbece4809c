#include "optim/adamw.h"

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/error.h"

namespace vllama::optim {
namespace {

constexpr const char* kMean = ".exp_avg";
constexpr const char* kMeanSquare = ".exp_avg_sq";
constexpr double kLargestStep = 16777216;  // 2^24: the fused kernel counts steps in fp32

// What is wrong with the entry `name` as a moment of `slot`, or an empty text.
std::string moment_problem(const std::map<std::string, at::Tensor>& state, const std::string& name,
                           const FlatSlot& slot) {
  const auto entry = state.find(name);
  if (entry == state.end() || !entry->second.defined()) return fmt::format("missing '{}'", name);
  const at::Tensor& moment = entry->second;
  if (moment.sizes() != at::IntArrayRef(slot.shape))
    return fmt::format("'{}' has shape [{}], expected [{}]", name, fmt::join(moment.sizes(), ", "),
                       fmt::join(slot.shape, ", "));
  if (moment.scalar_type() != at::kFloat)
    return fmt::format("'{}' is {}, expected Float", name, c10::toString(moment.scalar_type()));
  return {};
}

std::string step_problem(const std::map<std::string, at::Tensor>& state) {
  const auto entry = state.find("step");
  if (entry == state.end() || !entry->second.defined()) return "missing 'step'";
  if (entry->second.numel() != 1 || at::isComplexType(entry->second.scalar_type()))
    return "'step' is not a single number";
  const double step = entry->second.item<double>();
  if (!(step >= 0 && step <= kLargestStep && step == std::floor(step)))
    return fmt::format("'step' is {}, expected a whole number from 0 to {:.0f}", step,
                       kLargestStep);
  return {};
}

}  // namespace

AdamW::AdamW(FlatParameters& parameters, const AdamWConfig& config)
    : AdamW(parameters, config, whole_of(parameters)) {}

AdamW::AdamW(FlatParameters& parameters, const AdamWConfig& config, FlatShard shard)
    : parameters_(parameters),
      config_(config),
      shard_(std::move(shard)),
      exp_avg_(at::zeros({shard_.num_elements()}, parameters.flat_parameters().options())),
      exp_avg_sq_(at::zeros_like(exp_avg_)),
      step_count_(at::zeros({}, parameters.flat_parameters().options())) {}

void AdamW::step(double learning_rate) {
  const c10::AutoGradMode no_graph(false);
  ++num_steps_;
  step_count_.fill_(num_steps_);
  for (const FlatRange& range : parameters_.ranges()) update(range, learning_rate);
}

// Of the range what lies in the shard.
void AdamW::update(const FlatRange& range, double learning_rate) {
  const std::int64_t begin = std::max(range.offset, shard_.begin());
  const std::int64_t end = std::min(range.offset + range.num_elements, shard_.end());
  if (begin >= end) return;
  const at::Tensor values = parameters_.flat_parameters().slice(0, begin, end);
  const at::Tensor gradients = parameters_.flat_gradients().slice(0, begin, end);
  const at::Tensor mean = exp_avg_.slice(0, begin - shard_.begin(), end - shard_.begin());
  const at::Tensor mean_square = exp_avg_sq_.slice(0, begin - shard_.begin(), end - shard_.begin());
  at::_fused_adamw_(values, gradients, mean, mean_square, at::TensorList{}, step_count_,
                    learning_rate * range.learning_rate_factor, config_.beta1, config_.beta2,
                    range.decays ? config_.weight_decay : 0, config_.epsilon,
                    /*amsgrad=*/false, /*maximize=*/false);
}

void AdamW::share_update(distributed::Communicator& ranks, const std::string& what) {
  if (shard_.is_whole()) return;
  at::Tensor values = parameters_.flat_parameters();
  ranks.all_gather(values, shard_.part_ends, what);
}

std::map<std::string, at::Tensor> AdamW::state() const {
  VLLAMA_ASSERT(shard_.is_whole(), "the state of a shard is gathered");
  return named_state(exp_avg_, exp_avg_sq_);
}

std::map<std::string, at::Tensor> AdamW::state_on_first(distributed::Communicator& ranks) const {
  at::Tensor mean = exp_avg_, mean_square = exp_avg_sq_;
  if (!shard_.is_whole()) {
    const std::string what = "gathering the optimizer's state";
    mean = gather_on_first(exp_avg_, shard_, ranks, what);
    mean_square = gather_on_first(exp_avg_sq_, shard_, ranks, what);
  }
  if (!ranks.is_first()) return {};
  return named_state(mean, mean_square);
}

std::map<std::string, at::Tensor> AdamW::named_state(const at::Tensor& exp_avg,
                                                     const at::Tensor& exp_avg_sq) const {
  std::map<std::string, at::Tensor> state;
  for (const FlatSlot& slot : parameters_.slots()) {
    state.emplace(slot.name + kMean, FlatParameters::view(exp_avg, slot));
    state.emplace(slot.name + kMeanSquare, FlatParameters::view(exp_avg_sq, slot));
  }
  state.emplace("step", at::scalar_tensor(num_steps_, at::kLong));
  return state;
}

void AdamW::check(const std::map<std::string, at::Tensor>& state) const {
  std::set<std::string> expected = {"step"};
  std::vector<std::string> problems;
  const auto note = [&](std::string problem) {
    if (!problem.empty()) problems.push_back(std::move(problem));
  };
  for (const FlatSlot& slot : parameters_.slots()) {
    for (const char* moment : {kMean, kMeanSquare}) {
      expected.insert(slot.name + moment);
      note(moment_problem(state, slot.name + moment, slot));
    }
  }
  note(step_problem(state));
  for (const auto& [name, tensor] : state)
    if (!expected.contains(name)) note(fmt::format("unexpected '{}'", name));
  if (!problems.empty())
    throw UserError(fmt::format("the optimizer state does not fit what this run trains: {}",
                                fmt::join(problems, "; ")));
}

void AdamW::load_state(const std::map<std::string, at::Tensor>& state) {
  check(state);
  loaded_ = state;
  loaded(kMean)(shard_.begin(), exp_avg_);
  loaded(kMeanSquare)(shard_.begin(), exp_avg_sq_);
  num_steps_ = static_cast<std::int64_t>(state.at("step").item<double>());
  if (shard_.is_whole()) loaded_.clear();
}

// Reads any piece of a flat moment out of the tensors of its parameters.
ReadPiece AdamW::loaded(const char* moment) const {
  return [this, moment](std::int64_t offset, const at::Tensor& piece) {
    const c10::AutoGradMode no_graph(false);
    for (const FlatSlot& slot : parameters_.slots()) {
      const std::int64_t begin = std::max(offset, slot.offset);
      const std::int64_t end = std::min(offset + piece.numel(), slot.offset + slot.num_elements);
      if (begin >= end) continue;
      piece.slice(0, begin - offset, end - offset)
          .copy_(loaded_.at(slot.name + moment)
                     .reshape(-1)
                     .slice(0, begin - slot.offset, end - slot.offset));
    }
  };
}

void AdamW::copy_from_first(distributed::Communicator& ranks) {
  const std::string what = "sharing the optimizer's state";
  if (shard_.is_whole()) {
    ranks.broadcast(exp_avg_, what);
    ranks.broadcast(exp_avg_sq_, what);
  } else {
    scatter_from_first(loaded(kMean), exp_avg_, shard_, ranks, what);
    scatter_from_first(loaded(kMeanSquare), exp_avg_sq_, shard_, ranks, what);
    loaded_.clear();
  }
  num_steps_ = std::stoll(ranks.broadcast(std::to_string(num_steps_), what));
}

}  // namespace vllama::optim

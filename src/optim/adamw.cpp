#include "optim/adamw.h"

#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <c10/core/GradMode.h>
#include <fmt/ranges.h>

#include <cmath>
#include <set>

#include "core/error.h"

namespace vllama::optim {
namespace {

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
    : parameters_(parameters),
      config_(config),
      exp_avg_(at::zeros_like(parameters.flat_parameters())),
      exp_avg_sq_(at::zeros_like(parameters.flat_parameters())),
      step_count_(at::zeros({}, parameters.flat_parameters().options())) {}

void AdamW::step(double learning_rate) {
  const c10::AutoGradMode no_graph(false);
  ++num_steps_;
  step_count_.fill_(num_steps_);
  for (const FlatRange& range : parameters_.ranges()) update(range, learning_rate);
}

void AdamW::update(const FlatRange& range, double learning_rate) {
  const auto part = [&](const at::Tensor& flat) {
    return flat.narrow(0, range.offset, range.num_elements);
  };
  const at::Tensor values = part(parameters_.flat_parameters());
  const at::Tensor gradients = part(parameters_.flat_gradients());
  const at::Tensor mean = part(exp_avg_);
  const at::Tensor mean_square = part(exp_avg_sq_);
  at::_fused_adamw_(values, gradients, mean, mean_square, at::TensorList{}, step_count_,
                    learning_rate * range.learning_rate_factor, config_.beta1, config_.beta2,
                    range.decays ? config_.weight_decay : 0, config_.epsilon,
                    /*amsgrad=*/false, /*maximize=*/false);
}

void AdamW::copy_from_first(distributed::Communicator& ranks) {
  const std::string what = "sharing the optimizer's state";
  ranks.broadcast(exp_avg_, what);
  ranks.broadcast(exp_avg_sq_, what);
  num_steps_ = std::stoll(ranks.broadcast(std::to_string(num_steps_), what));
}

std::map<std::string, at::Tensor> AdamW::state() const {
  std::map<std::string, at::Tensor> state;
  for (const FlatSlot& slot : parameters_.slots()) {
    state.emplace(slot.name + ".exp_avg", FlatParameters::view(exp_avg_, slot));
    state.emplace(slot.name + ".exp_avg_sq", FlatParameters::view(exp_avg_sq_, slot));
  }
  state.emplace("step", at::scalar_tensor(num_steps_, at::kLong));
  return state;
}

void AdamW::load_state(const std::map<std::string, at::Tensor>& state) {
  std::set<std::string> expected = {"step"};
  std::vector<std::string> problems;
  const auto note = [&](std::string problem) {
    if (!problem.empty()) problems.push_back(std::move(problem));
  };
  for (const FlatSlot& slot : parameters_.slots()) {
    for (const char* moment : {".exp_avg", ".exp_avg_sq"}) {
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

  const c10::AutoGradMode no_graph(false);
  for (const FlatSlot& slot : parameters_.slots()) {
    FlatParameters::view(exp_avg_, slot).copy_(state.at(slot.name + ".exp_avg"));
    FlatParameters::view(exp_avg_sq_, slot).copy_(state.at(slot.name + ".exp_avg_sq"));
  }
  num_steps_ = static_cast<std::int64_t>(state.at("step").item<double>());
}

}  // namespace vllama::optim

#include "optim/indexed_state.h"

#include <ATen/ops/scalar_tensor.h>
#include <fmt/ranges.h>

#include "core/error.h"

namespace vllama::optim {
namespace {

bool is_number(const at::Tensor& tensor) {
  return tensor.defined() && tensor.numel() == 1 && !at::isComplexType(tensor.scalar_type());
}

std::vector<std::string> problems_of(const std::map<std::int64_t, IndexedMoments>& indexed,
                                     std::span<const FlatSlot> slots) {
  std::vector<std::string> problems;
  for (std::size_t index = 0; index < slots.size(); ++index) {
    const auto entry = indexed.find(static_cast<std::int64_t>(index));
    if (entry == indexed.end())
      problems.push_back(fmt::format("missing index {} ('{}')", index, slots[index].name));
    else if (!is_number(entry->second.step) || !entry->second.exp_avg.defined() ||
             !entry->second.exp_avg_sq.defined())
      problems.push_back(fmt::format("index {} ('{}') needs step (one number), exp_avg, exp_avg_sq",
                                     index, slots[index].name));
  }
  for (const auto& [index, moments] : indexed)
    if (index < 0 || index >= static_cast<std::int64_t>(slots.size()))
      problems.push_back(fmt::format("unknown index {}", index));
  return problems;
}

}  // namespace

std::map<std::string, at::Tensor> to_named_state(
    const std::map<std::int64_t, IndexedMoments>& indexed, std::span<const FlatSlot> slots) {
  std::vector<std::string> problems = problems_of(indexed, slots);
  std::map<std::string, at::Tensor> named;
  for (std::size_t index = 0; problems.empty() && index < slots.size(); ++index) {
    const auto& [step, exp_avg, exp_avg_sq] = indexed.at(static_cast<std::int64_t>(index));
    const auto& first = named.emplace("step", step).first->second;
    if (first.item<double>() != step.item<double>())
      problems.push_back(fmt::format("index {} is at step {}, index 0 at step {}", index,
                                     step.item<double>(), first.item<double>()));
    named.emplace(slots[index].name + ".exp_avg", exp_avg);
    named.emplace(slots[index].name + ".exp_avg_sq", exp_avg_sq);
  }
  if (!problems.empty())
    throw UserError(
        fmt::format("the checkpoint's optimizer state does not fit what this run trains: {}",
                    fmt::join(problems, "; ")));
  return named;
}

std::map<std::int64_t, IndexedMoments> to_indexed_state(
    const std::map<std::string, at::Tensor>& named, std::span<const FlatSlot> slots) {
  std::map<std::int64_t, IndexedMoments> indexed;
  const double step = named.at("step").item<double>();
  for (std::size_t index = 0; index < slots.size(); ++index)
    indexed[static_cast<std::int64_t>(index)] = {at::scalar_tensor(step, at::kFloat),
                                                 named.at(slots[index].name + ".exp_avg"),
                                                 named.at(slots[index].name + ".exp_avg_sq")};
  return indexed;
}

}  // namespace vllama::optim

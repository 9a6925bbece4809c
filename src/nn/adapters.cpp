#include "nn/adapters.h"

#include <algorithm>

namespace vllama::nn {
namespace {

bool is_called(const std::string& name, const std::string& target) {
  return name == target || name.ends_with("." + target);
}

}  // namespace

std::vector<NamedLinear> matrices_named(std::span<const NamedLinear> matrices,
                                        std::span<const std::string> targets) {
  std::vector<NamedLinear> named;
  for (const NamedLinear& matrix : matrices)
    if (std::ranges::any_of(targets,
                            [&](const auto& target) { return is_called(matrix.name, target); }))
      named.push_back(matrix);
  return named;
}

void add_adapters(std::span<const NamedLinear> matrices, std::int64_t rank, double alpha) {
  for (const auto& [name, linear] : matrices)
    linear->adapter.emplace(linear->inputs, linear->outputs, rank, alpha);
}

void declare_adapters(std::span<const NamedLinear> matrices, ParameterList& list) {
  for (const auto& [name, linear] : matrices)
    if (linear->adapter) linear->adapter->declare(list, name);
}

void merge_adapters(std::span<const NamedLinear> matrices) {
  for (const auto& [name, linear] : matrices) {
    if (!linear->adapter) continue;
    linear->weight_OI = linear->adapter->merged_with(linear->weight_OI);
    linear->adapter.reset();
  }
}

}  // namespace vllama::nn

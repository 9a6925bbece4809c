// Low-rank adapters beside matrices of a model that stays frozen.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "nn/linear.h"

namespace vllama::nn {

// A matrix by its name in the model's files, without ".weight".
struct NamedLinear {
  std::string name;
  Linear* linear;
};

// Those whose last part of the name is one of `targets`.
std::vector<NamedLinear> matrices_named(std::span<const NamedLinear> matrices,
                                        std::span<const std::string> targets);

void add_adapters(std::span<const NamedLinear> matrices, std::int64_t rank, double alpha);
// Of those that have one, in their order (nn/lora.h).
void declare_adapters(std::span<const NamedLinear> matrices, ParameterList& list);
// Adds what the adapters do to the matrices, which then have none.
void merge_adapters(std::span<const NamedLinear> matrices);

}  // namespace vllama::nn

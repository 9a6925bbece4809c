// The matrices of a model that consists of blocks.
#pragma once

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <vector>

#include "nn/adapters.h"

namespace vllama::nn {

// Those of all blocks, in their order; `of_block` names those of one, by its number.
template <class OfBlock>
std::vector<NamedLinear> block_matrices(std::size_t num_blocks, const OfBlock& of_block) {
  std::vector<NamedLinear> matrices;
  for (std::size_t i = 0; i < num_blocks; ++i)
    std::ranges::move(of_block(i), std::back_inserter(matrices));
  return matrices;
}

}  // namespace vllama::nn

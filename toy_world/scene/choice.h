// Choices by chance.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

#include "core/random.h"

namespace vllama::toy {

// An item of a list that is not empty, each as likely.
template <class List>
const auto& one_of(RandomStream& random, const List& items) {
  return items[static_cast<std::size_t>(random.below(std::size(items)))];
}

// Puts the items into an order, each as likely (Fisher and Yates).
template <class Item>
void shuffle(RandomStream& random, std::vector<Item>& items) {
  for (std::size_t i = items.size(); i > 1; --i)
    std::swap(items[i - 1], items[static_cast<std::size_t>(random.below(i))]);
}

}  // namespace vllama::toy

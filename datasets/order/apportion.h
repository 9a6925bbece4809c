// Divides places among weights, so that every weight has its share of the first n for any n.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace vllama::datasets {

// How many of the first `num_places` places each weight gets, by the method of Webster and
// Sainte-Laguë: place after place goes to the largest weight / (2 * places it has + 1), the first
// of equal ones. No weight ever loses a place as `num_places` grows, and where all shares are whole
// numbers each gets exactly its own. Weights are finite and not negative, one at least is above 0.
// Takes a time that does not depend on `num_places`.
std::vector<std::int64_t> apportion(std::span<const double> weights, std::int64_t num_places);

}  // namespace vllama::datasets

#include "models/connector.h"

namespace vllama::models {

std::vector<std::int64_t> MediumShape::units() const {
  std::vector<std::int64_t> lengths(static_cast<std::size_t>(num_units), states_per_unit);
  // Padding may be longer than a unit.
  std::int64_t surplus = num_units * states_per_unit - num_states;
  while (surplus > 0 && surplus >= lengths.back()) {
    surplus -= lengths.back();
    lengths.pop_back();
  }
  if (surplus > 0) lengths.back() -= surplus;
  return lengths;
}

}  // namespace vllama::models

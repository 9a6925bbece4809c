#include "train/watch/median.h"

#include <algorithm>

#include "core/error.h"

namespace vllama::train {

double median(std::vector<double> values) {
  VLLAMA_ASSERT(!values.empty(), "only numbers have a middle");
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return *std::max_element(values.begin(), middle) / 2 + *middle / 2;
}

}  // namespace vllama::train

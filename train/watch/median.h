// The middle of a set of numbers.
#pragma once

#include <vector>

namespace vllama::train {

// The mean of the two middle values where their number is even. At least one value, all finite.
double median(std::vector<double> values);

}  // namespace vllama::train

// Numbers of the files that runs write, where JSON has no word for what is not finite.
#pragma once

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace vllama::train {

// Null for infinities and what is not a number.
inline nlohmann::ordered_json finite_or_null(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json(nullptr);
}

// Not-a-number for null. Throws nlohmann's type_error for what is no number.
inline double number_or_nan(const nlohmann::ordered_json& value) {
  return value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
}

}  // namespace vllama::train

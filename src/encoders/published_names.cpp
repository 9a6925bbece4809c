#include "encoders/published_names.h"

#include <algorithm>

namespace vllama::encoders {

void take_prefix(nn::ParameterList& parameters, std::span<const std::string_view> prefixes,
                 std::string_view landmark, const weights::TensorSource& file) {
  const auto holds = [&](std::string_view prefix) {
    const std::string name = std::string(prefix) + std::string(landmark);
    return std::ranges::any_of(
        file.tensors(), [&](const weights::TensorFacts& facts) { return facts.name == name; });
  };
  const auto found = std::ranges::find_if(prefixes, holds);
  if (found == prefixes.end()) return;
  for (nn::Parameter& parameter : parameters)
    if (parameter.name.starts_with(prefixes.front()))
      parameter.name = std::string(*found) + parameter.name.substr(prefixes.front().size());
}

}  // namespace vllama::encoders

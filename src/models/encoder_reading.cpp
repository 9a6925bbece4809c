#include "models/encoder_reading.h"

#include <algorithm>

namespace vllama::models {

WeightReading encoder_reading(Branch& branch, const std::string& file, weights::LoadRules rules) {
  std::vector<encoders::Encoder*> encoders;
  for (const auto& encoder : branch.encoders()) encoders.push_back(encoder.get());
  return encoder_reading(encoders, branch.names().encoder_file, file, std::move(rules));
}

WeightReading encoder_reading(const std::vector<encoders::Encoder*>& encoders,
                              const std::string& key, const std::string& file,
                              weights::LoadRules rules) {
  rules.is_ignorable = [encoders](const std::string& name) {
    return std::ranges::any_of(encoders,
                               [&](const auto* encoder) { return encoder->is_unused(name); });
  };
  WeightReading reading{key, file, {}, std::move(rules)};
  for (encoders::Encoder* encoder : encoders) encoder->declare(reading.parameters);
  reading.adapt = [encoders](nn::ParameterList& parameters, const weights::TensorSource& source) {
    for (const auto* encoder : encoders) encoder->take_shapes(parameters, source);
  };
  reading.finish = [encoders](const weights::TensorSource& source) {
    for (encoders::Encoder* encoder : encoders) encoder->finish_reading(source);
  };
  return reading;
}

}  // namespace vllama::models

#include "models/weight_reading.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/log.h"
#include "weights/folder_kind.h"

namespace vllama::models {
namespace {

using weights::ParameterSlot;
using weights::TensorSource;

std::vector<ParameterSlot> slots_of(const nn::ParameterList& parameters) {
  std::vector<ParameterSlot> slots;
  for (const nn::Parameter& parameter : parameters)
    slots.push_back({parameter.name, parameter.shape, parameter.tensor});
  return slots;
}

std::string with_key(const WeightReading& reading, const std::string& problem) {
  if (reading.key.empty()) return problem;
  return fmt::format("model.weights.{}: {}", reading.key, problem);
}

std::string foreign(const TensorSource& source) {
  std::vector<std::string> names;
  for (const weights::TensorFacts& facts : source.tensors()) names.push_back(facts.name);
  return weights::foreign_names(names);
}

// Fits names and shapes to the file.
std::unique_ptr<TensorSource> open_file(WeightReading& reading) {
  auto source = weights::open_weights(reading.file);
  std::string obstacle = foreign(*source);
  if (obstacle.empty() && reading.obstacle) obstacle = reading.obstacle(*source);
  if (!obstacle.empty()) throw UserError(fmt::format("'{}': {}", reading.file, obstacle));
  if (reading.adapt) reading.adapt(reading.parameters, *source);
  return source;
}

void load_file(WeightReading reading) {
  const auto source = open_file(reading);
  const auto summary =
      weights::load_parameters(*source, slots_of(reading.parameters), reading.rules);
  log::info("read {} tensors ({} ignored) from '{}'", summary.num_loaded, summary.num_ignored,
            reading.file);
  if (reading.finish) reading.finish(*source);
}

}  // namespace

void load(const WeightReading& reading) {
  try {
    load_file(reading);
  } catch (const UserError& error) {
    throw UserError(with_key(reading, error.what()));
  }
}

std::string problem_of(WeightReading reading) {
  try {
    const auto source = open_file(reading);
    const std::string problem =
        weights::mismatches(*source, slots_of(reading.parameters), reading.rules);
    return problem.empty() ? problem : with_key(reading, problem);
  } catch (const UserError& error) {
    return with_key(reading, error.what());
  }
}

}  // namespace vllama::models

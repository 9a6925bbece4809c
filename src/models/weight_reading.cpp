#include "models/weight_reading.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "encoders/eva_vit.h"
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

// A class token and the patches of a square image.
bool is_square_grid(std::int64_t num_tokens) {
  if (num_tokens < 2) return false;
  const auto side = std::llround(std::sqrt(static_cast<double>(num_tokens - 1)));
  return side * side == num_tokens - 1;
}

// The encoder's position table, null in other lists. Its file may be for another image size: it is
// read in its own shape and resized.
nn::Parameter* position_table(nn::ParameterList& parameters) {
  const auto found = std::ranges::find(parameters, "pos_embed", &nn::Parameter::name);
  return found == parameters.end() ? nullptr : &*found;
}

void take_shape_of_file(nn::Parameter& positions, const TensorSource& source) {
  for (const weights::TensorFacts& facts : source.tensors())
    if (facts.name == positions.name && facts.shape.size() == 3 &&
        facts.shape[2] == positions.shape[2] && is_square_grid(facts.shape[1]))
      positions.shape[1] = facts.shape[1];
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

// Fits the names and the position table to the file.
std::unique_ptr<TensorSource> open_file(WeightReading& reading) {
  auto source = weights::open_weights(reading.file);
  std::string obstacle = foreign(*source);
  if (obstacle.empty() && reading.obstacle) obstacle = reading.obstacle(*source);
  if (!obstacle.empty()) throw UserError(fmt::format("'{}': {}", reading.file, obstacle));
  if (reading.adapt) reading.adapt(reading.parameters, *source);
  if (nn::Parameter* positions = position_table(reading.parameters))
    take_shape_of_file(*positions, *source);
  return source;
}

void load_file(WeightReading reading) {
  nn::Parameter* positions = position_table(reading.parameters);
  const std::int64_t num_tokens = positions != nullptr ? positions->shape[1] : 0;
  const auto source = open_file(reading);
  const auto summary =
      weights::load_parameters(*source, slots_of(reading.parameters), reading.rules);
  log::info("read {} tensors ({} ignored) from '{}'", summary.num_loaded, summary.num_ignored,
            reading.file);
  if (positions == nullptr || positions->shape[1] == num_tokens) return;
  log::info("resized the position table of '{}' from {} to {} tokens", reading.file,
            positions->shape[1], num_tokens);
  *positions->tensor =
      encoders::resize_positions(*positions->tensor, num_tokens).to(reading.rules.dtype);
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

#include "toy_world/senses/starts.h"

#include "core/random.h"

namespace vllama::toy {
namespace {

constexpr double kPublishedDeviation = 0.02, kMatrixDeviation = 0.05, kPositionDeviation = 0.3;
constexpr std::uint64_t kToyWorld = 0x746f79;  // so that nothing else shares a key

bool is_position(const std::string& name) {
  return name.find("pos_embed") != std::string::npos;
}

}  // namespace

std::uint64_t stream_key(std::uint64_t seed, Stream stream, std::int64_t index) {
  return random_key(
      {seed, kToyWorld, static_cast<std::uint64_t>(stream), static_cast<std::uint64_t>(index)});
}

void enlarge_starts(nn::ParameterList& parameters) {
  for (nn::Parameter& parameter : parameters) {
    if (parameter.initial.kind != nn::Initial::Kind::normal ||
        parameter.initial.scale != kPublishedDeviation)
      continue;
    parameter.initial =
        nn::normal(is_position(parameter.name) ? kPositionDeviation : kMatrixDeviation);
  }
}

}  // namespace vllama::toy

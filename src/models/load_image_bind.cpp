#include "models/load_image_bind.h"

#include <algorithm>
#include <cmath>

#include "core/log.h"
#include "models/weight_names.h"
#include "weights/tensor_source.h"

namespace vllama::models {
namespace {

constexpr double kPublishedAudioFactor = 20;
constexpr double kFactorTolerance = 1e-3;

}  // namespace

WeightReading image_bind_reading(AudioBranch& branch, const std::string& file,
                                 weights::LoadRules rules) {
  rules.is_ignorable = is_unused_image_bind_name;
  WeightReading reading{"image_bind", file, {}, std::move(rules)};
  branch.declare_trunks(reading.parameters);
  return reading;
}

void load_image_bind(AudioBranch& branch, const std::string& file, at::ScalarType dtype,
                     at::Device device) {
  const WeightReading reading =
      image_bind_reading(branch, file, {.dtype = dtype, .device = device});
  load(reading);

  // bf16 would make 20.09 of 20.
  const auto log_factor =
      std::ranges::find(reading.parameters, kLogAudioFactorName, &nn::Parameter::name);
  *log_factor->tensor =
      weights::open_weights(file)->read(kLogAudioFactorName).clone().to(device, at::kFloat);
  const auto factor = branch.published_audio_factor().item<double>();
  if (!(std::abs(factor - kPublishedAudioFactor) <= kFactorTolerance))
    log::warn("'{}': {} scales sound by {}, not by the published {}", file, kLogAudioFactorName,
              factor, kPublishedAudioFactor);
}

}  // namespace vllama::models

#include "models/load_image_bind.h"

#include <algorithm>
#include <cmath>

#include "checkpoint/load.h"
#include "core/log.h"
#include "models/weight_names.h"

namespace vllama::models {
namespace {

constexpr double kPublishedAudioFactor = 20;
constexpr double kFactorTolerance = 1e-3;

}  // namespace

void load_image_bind(AudioBranch& branch, const std::string& file, at::ScalarType dtype,
                     at::Device device) {
  nn::ParameterList parameters;
  branch.declare_trunks(parameters);
  std::vector<checkpoint::ParameterSlot> slots;
  for (const nn::Parameter& parameter : parameters)
    slots.push_back({parameter.name, parameter.shape, parameter.tensor});
  const auto source = checkpoint::open_weights(file);
  const auto summary = checkpoint::load_parameters(
      *source, slots,
      {.dtype = dtype, .device = device, .is_ignorable = is_unused_image_bind_name});
  log::info("read {} tensors ({} ignored) from '{}'", summary.num_loaded, summary.num_ignored,
            file);

  // bf16 would make 20.09 of 20.
  const auto log_factor = std::ranges::find(parameters, kLogAudioFactorName, &nn::Parameter::name);
  *log_factor->tensor = source->read(kLogAudioFactorName).clone().to(device, at::kFloat);
  const auto factor = branch.published_audio_factor().item<double>();
  if (!(std::abs(factor - kPublishedAudioFactor) <= kFactorTolerance))
    log::warn("'{}': {} scales sound by {}, not by the published {}", file, kLogAudioFactorName,
              factor, kPublishedAudioFactor);
}

}  // namespace vllama::models

#include "models/base_files.h"

#include <ATen/ops/scalar_tensor.h>

#include <cmath>
#include <map>

#include "checkpoint/write.h"

namespace vllama::models {
namespace {

// The factors of the modalities that are not modelled here.
const std::map<std::string, double> kOtherFactors{
    {"text", 1 / 0.07}, {"depth", 5}, {"thermal", 10}, {"imu", 5}};

checkpoint::NamedTensors converted(const nn::ParameterList& parameters, at::ScalarType dtype) {
  checkpoint::NamedTensors tensors;
  for (const nn::Parameter& parameter : parameters)
    tensors[parameter.name] = parameter.tensor->to(dtype);
  return tensors;
}

}  // namespace

void write_vision_encoder(VisionBranch& vision, const std::filesystem::path& folder,
                          at::ScalarType dtype) {
  nn::ParameterList encoder;
  vision.declare_encoder(encoder);
  checkpoint::write_pth(folder / kVisionEncoderFile, checkpoint::to_map(converted(encoder, dtype)));
}

void write_image_q_former(VisionBranch& vision, const std::filesystem::path& folder,
                          at::ScalarType dtype) {
  nn::ParameterList q_former;
  vision.declare_image_q_former(q_former);
  checkpoint::Map blip2;
  blip2.set("model", checkpoint::to_map(converted(q_former, dtype)));
  checkpoint::write_pth(folder / kImageQFormerFile, blip2);
}

void write_image_bind(AudioBranch& audio, const std::filesystem::path& folder,
                      at::ScalarType dtype) {
  nn::ParameterList trunks;
  audio.declare_trunks(trunks);
  checkpoint::NamedTensors tensors = converted(trunks, dtype);
  for (const nn::Parameter& parameter : trunks)
    if (parameter.name == kLogAudioFactorName) tensors[parameter.name] = *parameter.tensor;
  for (const auto& [modality, factor] : kOtherFactors)
    tensors["modality_postprocessors." + modality + ".1.log_logit_scale"] =
        at::scalar_tensor(std::log(factor), at::kFloat);
  checkpoint::write_pth(folder / kImageBindFile, checkpoint::to_map(tensors));
}

void write_language_model(Llama& llama, const LlamaConfig& config,
                          const std::filesystem::path& folder, at::ScalarType dtype) {
  nn::ParameterList language;
  llama.declare(language);
  checkpoint::write_hf_folder(folder / kLanguageModelFolder, to_config_json(config),
                              converted(language, dtype));
}

}  // namespace vllama::models

#include "models/base_files.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/scalar_tensor.h>

#include <cmath>
#include <map>

#include "encoders/image_bind_encoders.h"
#include "weights/write.h"

namespace vllama::models {
namespace {

// The factors of the modalities that are not modelled here.
const std::map<std::string, double> kOtherFactors{
    {"text", 1 / 0.07}, {"depth", 5}, {"thermal", 10}, {"imu", 5}};

// What is in a file, with tensors whose values are made when it is their turn.
class PlannedFile {
 public:
  PlannedFile(const nn::ParameterList& parameters, at::ScalarType dtype,
              const ParameterValues& values)
      : dtype_(dtype), values_(values) {
    for (const nn::Parameter& parameter : parameters) {
      parameters_.emplace(parameter.name, parameter);
      tensors_[parameter.name] = at::empty(
          parameter.shape, at::TensorOptions().dtype(type_of(parameter)).device(at::kMeta));
    }
  }

  void add(const std::string& name, at::Tensor tensor) { tensors_[name] = std::move(tensor); }

  const weights::NamedTensors& tensors() const { return tensors_; }
  weights::Replacement contents() const {
    return [this](const std::string& name, const at::Tensor& tensor) {
      const auto parameter = parameters_.find(name);
      return parameter == parameters_.end()
                 ? tensor
                 : values_(parameter->second).to(type_of(parameter->second));
    };
  }

 private:
  at::ScalarType type_of(const nn::Parameter& parameter) const {
    return parameter.name == encoders::kLogAudioFactorName ? at::kFloat : dtype_;
  }

  at::ScalarType dtype_;
  const ParameterValues& values_;
  std::map<std::string, nn::Parameter> parameters_;
  weights::NamedTensors tensors_;
};

}  // namespace

at::Tensor held_values(const nn::Parameter& parameter) {
  return *parameter.tensor;
}

void write_vision_encoder(Branch& vision, const std::filesystem::path& folder, at::ScalarType dtype,
                          const ParameterValues& values) {
  nn::ParameterList encoder;
  vision.declare_encoders(encoder);
  const PlannedFile file(encoder, dtype, values);
  weights::write_pth(folder / kVisionEncoderFile, file.tensors(), file.contents());
}

void write_image_q_former(Branch& vision, const std::filesystem::path& folder, at::ScalarType dtype,
                          const ParameterValues& values) {
  nn::ParameterList q_former;
  vision.declare_resampler(q_former);
  const PlannedFile file(q_former, dtype, values);
  weights::write_pth(folder / kImageQFormerFile, file.tensors(), file.contents(), "model");
}

void write_image_bind(const nn::ParameterList& encoders, const std::filesystem::path& folder,
                      at::ScalarType dtype, const ParameterValues& values) {
  PlannedFile file(encoders, dtype, values);
  for (const auto& [modality, factor] : kOtherFactors)
    file.add("modality_postprocessors." + modality + ".1.log_logit_scale",
             at::scalar_tensor(std::log(factor), at::kFloat));
  weights::write_pth(folder / kImageBindFile, file.tensors(), file.contents());
}

void write_encoder(Branch& branch, const std::filesystem::path& file, at::ScalarType dtype,
                   const ParameterValues& values) {
  nn::ParameterList encoder;
  branch.declare_encoders(encoder);
  const PlannedFile planned(encoder, dtype, values);
  weights::write_safetensors(file, planned.tensors(), planned.contents());
}

void write_language_model(language::Llama& llama, const language::LlamaConfig& config,
                          const std::filesystem::path& folder, at::ScalarType dtype,
                          const ParameterValues& values) {
  nn::ParameterList language;
  llama.declare(language);
  const PlannedFile file(language, dtype, values);
  weights::HfFolderOptions options;
  options.replacement = file.contents();
  weights::write_hf_folder(folder / kLanguageModelFolder, language::to_config_json(config, dtype),
                           file.tensors(), options);
}

}  // namespace vllama::models

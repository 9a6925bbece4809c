#include "models/random_weights.h"

#include <ATen/ops/scalar_tensor.h>

#include <cmath>
#include <map>

#include "checkpoint/write.h"
#include "core/error.h"
#include "models/llama.h"

namespace vllama::models {
namespace {

checkpoint::NamedTensors converted(const nn::ParameterList& parameters, at::ScalarType dtype) {
  checkpoint::NamedTensors tensors;
  for (const nn::Parameter& parameter : parameters)
    tensors[parameter.name] = parameter.tensor->to(dtype);
  return tensors;
}

// The factors of the modalities that are not modelled here.
const std::map<std::string, double> kOtherFactors{
    {"text", 1 / 0.07}, {"depth", 5}, {"thermal", 10}, {"imu", 5}};

void write_image_bind(const AudioConfig& sizes, std::int64_t language_width, std::uint64_t seed,
                      const std::filesystem::path& file) {
  AudioBranch audio(sizes, language_width);
  nn::ParameterList trunks;
  audio.declare_trunks(trunks);
  nn::initialize(trunks, seed);
  checkpoint::NamedTensors tensors = converted(trunks, at::kFloat);
  for (const auto& [modality, factor] : kOtherFactors)
    tensors["modality_postprocessors." + modality + ".1.log_logit_scale"] =
        at::scalar_tensor(std::log(factor), at::kFloat);
  checkpoint::write_pth(file, checkpoint::to_map(tensors));
}

}  // namespace

LlamaConfig language_config(const LanguageSizes& sizes, std::int64_t vocabulary_size) {
  const std::int64_t head_width =
      sizes.head_width > 0 ? sizes.head_width : sizes.width / sizes.num_heads;
  if (head_width % 2 != 0 || (sizes.head_width == 0 && sizes.width % sizes.num_heads != 0))
    throw UserError(
        "language.width must be an even multiple of language.num_heads, or language.head_width "
        "be given, and even");
  return {.vocabulary_size = vocabulary_size,
          .width = sizes.width,
          .mlp_width = sizes.mlp_width,
          .num_layers = sizes.num_layers,
          .num_heads = sizes.num_heads,
          .num_key_value_heads = sizes.num_heads,
          .head_width = head_width,
          .max_positions = sizes.max_positions};
}

void write_random_weights(const WeightSizes& sizes, std::int64_t vocabulary_size,
                          std::uint64_t seed, const std::filesystem::path& folder) {
  const LlamaConfig llama_config = language_config(sizes.language, vocabulary_size);
  VisionBranch vision(sizes.vision, llama_config.width);
  Llama llama(llama_config);
  nn::ParameterList encoder, q_former, language;
  vision.declare_encoder(encoder);
  vision.declare_image_q_former(q_former);
  llama.declare(language);
  for (const auto* list : {&encoder, &q_former, &language}) nn::initialize(*list, seed);

  std::filesystem::create_directories(folder);
  checkpoint::write_pth(folder / "eva_vit_g.pth",
                        checkpoint::to_map(converted(encoder, at::kHalf)));
  checkpoint::Map blip2;
  blip2.set("model", checkpoint::to_map(converted(q_former, at::kFloat)));
  checkpoint::write_pth(folder / "blip2_qformer.pth", blip2);
  checkpoint::write_hf_folder(folder / "llama", to_config_json(llama_config),
                              converted(language, at::kHalf));
  if (sizes.audio)
    write_image_bind(*sizes.audio, llama_config.width, seed, folder / "imagebind_huge.pth");
}

}  // namespace vllama::models

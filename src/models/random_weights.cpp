#include "models/random_weights.h"

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

LlamaConfig language_config(const LanguageSizes& sizes, std::int64_t vocabulary_size) {
  if (sizes.width % (2 * sizes.num_heads) != 0)
    throw UserError("language.width must be an even multiple of language.num_heads");
  return {.vocabulary_size = vocabulary_size,
          .width = sizes.width,
          .mlp_width = sizes.mlp_width,
          .num_layers = sizes.num_layers,
          .num_heads = sizes.num_heads,
          .num_key_value_heads = sizes.num_heads,
          .head_width = sizes.width / sizes.num_heads,
          .max_positions = sizes.max_positions};
}

}  // namespace

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
}

}  // namespace vllama::models

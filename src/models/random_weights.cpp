#include "models/random_weights.h"

#include "core/error.h"
#include "models/base_files.h"

namespace vllama::models {
namespace {

// A file has all layers, whichever of them feeds the branch.
VisionConfig with_all_layers(VisionConfig vision) {
  std::visit(
      [](auto& sizes) {
        if constexpr (requires { sizes.layer; }) sizes.layer = 0;
      },
      vision.encoder.sizes());
  return vision;
}

}  // namespace

language::LlamaConfig language_config(const LanguageSizes& sizes, std::int64_t vocabulary_size) {
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
                          std::uint64_t seed, const std::filesystem::path& folder,
                          std::optional<at::ScalarType> dtype) {
  const language::LlamaConfig llama_config = language_config(sizes.language, vocabulary_size);
  Branch vision = make_branch(with_all_layers(sizes.vision), llama_config.width);
  language::Llama llama(llama_config);
  const ParameterValues values = [seed](const nn::Parameter& parameter) {
    return nn::initial_values(parameter, seed);
  };
  std::filesystem::create_directories(folder);
  if (sizes.vision.encoder.is<encoders::EvaVitConfig>())
    write_vision_encoder(vision, folder, dtype.value_or(at::kHalf), values);
  else
    write_encoder(vision, folder / kOtherVisionEncoderFile, dtype.value_or(at::kHalf), values);
  if (vision.resampler() != nullptr)
    write_image_q_former(vision, folder, dtype.value_or(at::kFloat), values);
  write_language_model(llama, llama_config, folder, dtype.value_or(at::kHalf), values);
  if (!sizes.audio) return;
  nn::ParameterList encoders;
  Branch audio = make_branch(*sizes.audio, llama_config.width);
  if (!sizes.audio->sees())
    return write_encoder(audio, folder / kAudioEncoderFile, dtype.value_or(at::kHalf), values);
  audio.declare_encoders(encoders);
  write_image_bind(encoders, folder, dtype.value_or(at::kFloat), values);
}

}  // namespace vllama::models

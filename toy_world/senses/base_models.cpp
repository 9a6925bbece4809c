#include "toy_world/senses/base_models.h"

#include <fmt/format.h>

#include "core/error.h"
#include "models/base_files.h"
#include "models/encoder_reading.h"
#include "models/weight_reading.h"
#include "toy_world/senses/captions.h"

namespace vllama::toy {
namespace {

namespace fs = std::filesystem;

constexpr at::ScalarType kFileType = at::kHalf;

void read(const fs::path& file, nn::ParameterList parameters) {
  models::load({.key = {},
                .file = file.string(),
                .parameters = std::move(parameters),
                .rules = {.writable = true}});
}

models::Branch read_vision(const BaseFiles& files) {
  models::Branch vision = make_branch(files.sizes.vision, files.sizes.language.width);
  nn::ParameterList encoder, q_former;
  vision.declare_encoders(encoder);
  vision.declare_resampler(q_former);
  read(files.folder / models::kVisionEncoderFile, std::move(encoder));
  read(files.folder / models::kImageQFormerFile, std::move(q_former));
  return vision;
}

ImageBind make_image_bind(const BaseFiles& files) {
  if (!files.sizes.audio)
    throw UserError("the sizes have no section 'audio', so there is no ImageBind to make");
  return ImageBind(*files.sizes.audio);
}

ImageBind read_image_bind(const BaseFiles& files) {
  ImageBind image_bind = make_image_bind(files);
  models::load(models::encoder_reading({&image_bind.pictures, &image_bind.sounds}, /*key=*/"",
                                       (files.folder / models::kImageBindFile).string(), {}));
  return image_bind;
}

}  // namespace

std::vector<Gate> make_vision(const BaseFiles& files, const VisionTraining& settings,
                              std::uint64_t seed, const GateSizes& gate_sizes) {
  fs::create_directories(files.folder);
  models::Branch vision = make_branch(files.sizes.vision, files.sizes.language.width);
  train_vision(vision, settings, seed);
  models::write_vision_encoder(vision, files.folder, kFileType);
  models::write_image_q_former(vision, files.folder, kFileType);
  return vision_gates(read_vision(files), seed, gate_sizes);
}

std::vector<Gate> make_image_bind(const BaseFiles& files, const ImageTextTraining& image_text,
                                  const SoundTraining& sound, std::uint64_t seed,
                                  const GateSizes& gate_sizes) {
  ImageBind image_bind = make_image_bind(files);
  encoders::EvaVit encoder(files.sizes.vision.encoder.as<encoders::EvaVitConfig>());
  nn::ParameterList parameters;
  encoder.declare(parameters);
  read(files.folder / models::kVisionEncoderFile, std::move(parameters));
  TextTrunk text(CaptionWords().num_words(), kCaptionLength, files.sizes.audio->embedding_width);
  train_image_text(image_bind, text, encoder, image_text, seed);
  train_sound(image_bind, sound, seed);
  models::write_image_bind(image_bind.parameters(), files.folder, kFileType);

  const ImageBind written = read_image_bind(files);
  std::vector<Gate> gates{caption_gate(written, text, seed, gate_sizes)};
  for (Gate& gate : image_bind_gates(written, seed, gate_sizes)) gates.push_back(std::move(gate));
  return gates;
}

std::vector<Gate> measure(const BaseFiles& files, std::uint64_t seed, const GateSizes& gate_sizes) {
  std::vector<Gate> gates;
  const auto add = [&gates](std::vector<Gate> more) {
    gates.insert(gates.end(), more.begin(), more.end());
  };
  if (fs::exists(files.folder / models::kVisionEncoderFile))
    add(vision_gates(read_vision(files), seed, gate_sizes));
  if (fs::exists(files.folder / models::kImageBindFile))
    add(image_bind_gates(read_image_bind(files), seed, gate_sizes));
  if (gates.empty())
    throw UserError(fmt::format("'{}' holds neither {} nor {}", files.folder.string(),
                                models::kVisionEncoderFile, models::kImageBindFile));
  return gates;
}

}  // namespace vllama::toy

#include "models/branch.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <fmt/format.h>

#include "core/error.h"
#include "encoders/encoder_choice.h"
#include "models/q_former.h"
#include "nn/recompute.h"

namespace vllama::models {
namespace {

using Encoders = std::vector<std::unique_ptr<encoders::Encoder>>;

at::Tensor frozen_tokens(const encoders::Encoder& encoder, const at::Tensor& inputs) {
  const at::AutoGradMode no_graph(false);
  return encoder(inputs);
}

// What all branches are alike in: positions and connector are as wide as what comes to them.
template <class Config>
Branch assembled(const Config& config, const BranchNames& names, Encoders encoders,
                 std::unique_ptr<Connector> resampler, std::int64_t language_width) {
  const std::int64_t width = resampler ? resampler->width() : encoders.front()->width();
  return Branch({.names = names,
                 .encoders = std::move(encoders),
                 .resampler = std::move(resampler),
                 .positions = {{config.positions, config.position_rows},
                               config.max_positions,
                               width,
                               names.section},
                 .connector = std::make_unique<QFormer>(config.q_former, width),
                 .units_at_once = config.units_at_once},
                language_width);
}

}  // namespace

Branch::Branch(Parts parts, std::int64_t language_width)
    : parts_(std::move(parts)), projection_(parts_.connector->width(), language_width) {}

void Branch::declare_encoders(nn::ParameterList& list) {
  for (const auto& encoder : parts_.encoders) encoder->declare(list);
}

void Branch::declare_resampler(nn::ParameterList& list) {
  if (!parts_.resampler) return;
  for (const PublishedPart& part : published_parts()) {
    if (part.module != parts_.names.resampler) continue;
    parts_.resampler->declare(list, part);
    // The published file has the norm of the encoder between queries and layers.
    if (part.kind == PartKind::queries)
      for (const auto& encoder : parts_.encoders) encoder->declare_output_norm(list);
  }
}

void Branch::declare_trainable(nn::ParameterList& list) {
  const nn::Initial bound = nn::uniform_by_fan_in(projection_.inputs);
  for (const PublishedPart& part : published_parts()) {
    if (part.place() != parts_.names.place || part.module == parts_.names.resampler) continue;
    if (part.kind == PartKind::projection)
      projection_.declare(list, std::string(part.beginning), bound, bound);
    else if (part.kind == PartKind::positions)
      parts_.positions.declare(list, std::string(part.beginning));
    else
      parts_.connector->declare(list, part);
  }
}

std::int64_t Branch::tokens_per_unit() const {
  return parts_.resampler ? parts_.resampler->num_tokens()
                          : parts_.encoders.front()->tokens_per_unit();
}

std::int64_t Branch::width() const {
  return parts_.resampler ? parts_.resampler->width() : parts_.encoders.front()->width();
}

at::Tensor Branch::encode(std::size_t encoder, const at::Tensor& units) const {
  return encode_prepared(encoder, parts_.encoders.at(encoder)->prepared(units));
}

at::Tensor Branch::encode_prepared(std::size_t encoder, const at::Tensor& inputs) const {
  const encoders::Encoder& encode_units = *parts_.encoders.at(encoder);
  // What passes together bounds the memory, and nothing else: units do not see each other.
  std::vector<at::Tensor> features;
  for (const at::Tensor& some : inputs.split(parts_.units_at_once)) {
    const at::Tensor tokens = frozen_tokens(encode_units, some);
    const auto segments = nn::Segments::equal(some.size(0), encode_units.tokens_per_unit());
    const auto resample = [this, segments](const at::Tensor& of_units) {
      return (*parts_.resampler)(of_units, segments);
    };
    features.push_back(parts_.resampler ? nn::recompute_in_backward(resample, tokens) : tokens);
  }
  return at::cat(features);
}

at::Tensor Branch::embed(const at::Tensor& features,
                         const std::vector<std::int64_t>& units_per_medium,
                         const nn::Dropout& dropout) const {
  const BranchNames& names = parts_.names;
  std::vector<std::int64_t> tokens_per_medium;
  for (const std::int64_t num_units : units_per_medium) {
    if (num_units > most_units())
      throw UserError(fmt::format(
          "{} frames or sound clips do not fit {}.{} = {}; {}.{}: interpolated takes any number",
          num_units, names.section, names.max_positions_key, most_units(), names.section,
          names.positions_key));
    tokens_per_medium.push_back(num_units * tokens_per_unit());
  }
  // fp32 from here on, as everything that trains. All tokens of a unit stand at one time.
  const at::Tensor placed_UPD = features.to(at::kFloat).view({-1, tokens_per_unit(), width()}) +
                                parts_.positions(units_per_medium).unsqueeze(1);
  return projection_(
      (*parts_.connector)(placed_UPD.flatten(0, 1), nn::Segments(tokens_per_medium), dropout));
}

Branch make_branch(const VisionConfig& config, std::int64_t language_width) {
  const BranchNames names{.place = ModulePlace::vision_branch,
                          .branch = "vision",
                          .section = "model.vision",
                          .max_positions_key = "max_frame_positions",
                          .positions_key = "frame_positions",
                          .encoders = "vision encoder",
                          .resampler = ModuleName::image_q_former,
                          .encoder_file = "vision_encoder",
                          .checkpoint = "vision_checkpoint"};
  Encoders encoders;
  encoders.push_back(make_encoder(config.encoder, {}));
  auto resampler = std::make_unique<QFormer>(config.resampler, encoders.front()->width());
  return assembled(config, names, std::move(encoders), std::move(resampler), language_width);
}

Branch make_branch(const AudioConfig& config, std::int64_t language_width) {
  const BranchNames names{.place = ModulePlace::audio_branch,
                          .branch = "audio",
                          .section = "model.audio",
                          .max_positions_key = "max_positions",
                          .positions_key = "positions",
                          .encoders = "ImageBind",
                          .resampler = {},
                          .encoder_file = "image_bind",
                          .checkpoint = "audio_checkpoint"};
  const encoders::SharedSpace space{.width = config.embedding_width,
                                    .scale = config.embedding_scale};
  Encoders encoders;
  encoders.push_back(make_encoder(config.twin, space));
  encoders.push_back(make_encoder(config.encoder, space));
  return assembled(config, names, std::move(encoders), /*resampler=*/nullptr, language_width);
}

std::vector<Branch> make_branches(const ModelConfig& config, std::int64_t language_width) {
  std::vector<Branch> branches;
  if (config.has_vision()) branches.push_back(make_branch(config.vision, language_width));
  if (config.has_audio()) branches.push_back(make_branch(config.audio, language_width));
  return branches;
}

}  // namespace vllama::models

#include "models/branch.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <span>

#include "core/error.h"
#include "core/random.h"
#include "encoders/encoder_choice.h"
#include "models/q_former_connector.h"
#include "nn/recompute.h"

namespace vllama::models {
namespace {

using Encoders = std::vector<std::unique_ptr<encoders::Encoder>>;

at::Tensor encoder_tokens(const encoders::Encoder& encoder, const at::Tensor& inputs, bool trains) {
  const at::AutoGradMode with_graph(trains && at::GradMode::is_enabled());
  return encoder(inputs);
}

constexpr std::int64_t kWhisperTokensPerSecond = 50;

// What all branches are alike in: positions are as wide as what comes to them.
template <class Config>
Branch assembled(const Config& config, const BranchNames& names, Encoders encoders,
                 std::unique_ptr<QFormer> resampler, std::shared_ptr<Connector> connector,
                 std::int64_t language_width, double window_seconds = 0) {
  const std::int64_t width = resampler ? resampler->width() : encoders.front()->width();
  return Branch({.names = names,
                 .encoders = std::move(encoders),
                 .resampler = std::move(resampler),
                 .positions = {{config.positions, config.position_rows},
                               config.max_positions,
                               width,
                               names.section},
                 .connector = std::move(connector),
                 .units_at_once = config.units_at_once,
                 .lora = config.encoder_lora,
                 .window_seconds = window_seconds},
                language_width);
}

std::int64_t states_per_window(const AudioConfig& config) {
  const double states = config.window_seconds * kWhisperTokensPerSecond;
  if (config.sees() || states == 0) return 0;
  const auto whole = static_cast<std::int64_t>(std::llround(states));
  if (whole < 1 || std::abs(states - static_cast<double>(whole)) > 1e-6)
    throw UserError(
        fmt::format("model.audio.window_seconds is {}: Whisper hears {} times a second, so that a "
                    "window is a multiple of {} s",
                    config.window_seconds, kWhisperTokensPerSecond, 1.0 / kWhisperTokensPerSecond));
  return whole;
}

// "q_proj" of "encoder.layers.0.self_attn.q_proj", each once.
std::vector<std::string> last_names(const std::vector<nn::NamedLinear>& matrices) {
  std::vector<std::string> names;
  for (const nn::NamedLinear& matrix : matrices) {
    const std::string name = matrix.name.substr(matrix.name.rfind('.') + 1);
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
  return names;
}

}  // namespace

MediumShape shape_of(const samples::MediaExtent& medium, std::int64_t states_per_unit) {
  return {.num_units = medium.num_units,
          .states_per_unit = states_per_unit,
          .num_states = medium.num_units * states_per_unit - medium.num_padding};
}

Branch::Branch(Parts parts, std::int64_t language_width)
    : parts_(std::move(parts)), projection_(parts_.connector->width(), language_width) {}

void Branch::declare_encoders(nn::ParameterList& list) {
  for (const auto& encoder : parts_.encoders) encoder->declare(list);
}

void Branch::declare_encoder_module(nn::ParameterList& list) {
  nn::ParameterList own;
  trainable_encoder().declare(own);
  for (nn::Parameter& parameter : own) parameter.name = name_in_step(parameter.name);
  list.insert(list.end(), own.begin(), own.end());
}

std::string Branch::name_in_step(const std::string& name) const {
  const auto part =
      std::ranges::find(published_parts(), parts_.names.encoder, &PublishedPart::module);
  VLLAMA_ASSERT(part != published_parts().end(), "an encoder without a part of its own");
  return fmt::format("{}.{}", part->beginning, name);
}

void Branch::declare_adapters(nn::ParameterList& list) {
  auto matrices = trainable_encoder().block_matrices();
  for (nn::NamedLinear& matrix : matrices) matrix.name = name_in_step(matrix.name);
  nn::declare_adapters(matrices, list);
}

void Branch::add_adapters() {
  encoders::Encoder& encoder = trainable_encoder();
  auto matrices = encoder.block_matrices();
  for (const std::string& target : parts_.lora.targets)
    if (nn::matrices_named(matrices, std::span(&target, 1)).empty())
      throw UserError(fmt::format(
          "{}.encoder_lora.targets: '{}' is no matrix of the encoder's blocks, which have {}",
          parts_.names.section, target, fmt::join(last_names(matrices), ", ")));
  if (!parts_.lora.targets.empty()) matrices = nn::matrices_named(matrices, parts_.lora.targets);
  std::erase_if(matrices, [&](const nn::NamedLinear& matrix) {
    return !encoder.is_in_last_blocks(matrix.name + ".weight", parts_.num_trained_blocks);
  });
  nn::add_adapters(matrices, parts_.lora.rank, parts_.lora.alpha);
  has_adapters_ = true;
}

void Branch::merge_adapters() {
  nn::merge_adapters(trainable_encoder().block_matrices());
  has_adapters_ = false;
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

std::vector<MediumShape> Branch::shapes_of(const Media& media) const {
  std::vector<MediumShape> shapes;
  for (const samples::MediaExtent& medium : media)
    shapes.push_back(shape_of(medium, tokens_per_unit()));
  return shapes;
}

at::Tensor Branch::encode(std::size_t encoder, const at::Tensor& units, const Media& media) const {
  const at::Tensor all = encode_prepared(encoder, parts_.encoders.at(encoder)->prepared(units));
  if (std::ranges::all_of(media, [](const auto& medium) { return medium.num_padding == 0; }))
    return all;
  std::vector<at::Tensor> heard;
  std::int64_t first = 0;
  for (const MediumShape& shape : shapes_of(media)) {
    heard.push_back(all.narrow(0, first, shape.num_states));
    first += shape.num_units * shape.states_per_unit;
  }
  return at::cat(heard);
}

at::Tensor Branch::encode_prepared(std::size_t encoder, const at::Tensor& inputs) const {
  const encoders::Encoder& encode_units = *parts_.encoders.at(encoder);
  // What passes together bounds the memory, and nothing else: units do not see each other.
  std::vector<at::Tensor> features;
  for (const at::Tensor& some : inputs.split(parts_.units_at_once)) {
    const at::Tensor tokens = encoder_tokens(encode_units, some, parts_.num_trained_blocks > 0);
    const auto segments = nn::Segments::equal(some.size(0), encode_units.tokens_per_unit());
    const auto resample = [this, segments](const at::Tensor& of_units) {
      return (*parts_.resampler)(of_units, segments);
    };
    features.push_back(parts_.resampler ? nn::recompute_in_backward(resample, tokens) : tokens);
  }
  return at::cat(features);
}

at::Tensor Branch::with_positions(const at::Tensor& features_SD,
                                  const std::vector<MediumShape>& media) const {
  const BranchNames& names = parts_.names;
  std::vector<std::int64_t> places_per_medium, lengths;
  for (const MediumShape& medium : media) {
    const auto places = parts_.connector->places(medium);
    if (std::ssize(places) > most_places())
      throw UserError(fmt::format(
          "{} frames, sound clips or windows do not fit {}.{} = {}; {}.{}: interpolated takes any "
          "number",
          places.size(), names.section, names.max_positions_key, most_places(), names.section,
          names.positions_key));
    places_per_medium.push_back(std::ssize(places));
    lengths.insert(lengths.end(), places.begin(), places.end());
  }
  const at::Tensor positions_KD = parts_.positions(places_per_medium);
  if (std::ranges::adjacent_find(lengths, std::not_equal_to()) == lengths.end())
    return (features_SD.view({-1, lengths.front(), width()}) + positions_KD.unsqueeze(1))
        .flatten(0, 1);
  if (positions_KD.size(0) == 1) return features_SD + positions_KD;
  return features_SD +
         positions_KD.repeat_interleave(at::tensor(lengths, at::kLong).to(features_SD.device()), 0);
}

at::Tensor Branch::embed(const at::Tensor& features, const Media& media,
                         const nn::Dropout& dropout) const {
  const auto shapes = shapes_of(media);
  // fp32 from here on, as everything that trains.
  const at::Tensor placed_SD = with_positions(features.to(at::kFloat), shapes);
  return projection_((*parts_.connector)(placed_SD, shapes, dropout));
}

std::vector<std::uint64_t> Branch::dropout_keys(const Media& media,
                                                const std::vector<std::uint64_t>& of_media) const {
  std::vector<std::uint64_t> keys;
  for (std::size_t i = 0; i < media.size(); ++i) {
    const std::size_t num_windows =
        parts_.connector->windows(shape_of(media[i], tokens_per_unit())).size();
    keys.push_back(of_media[i]);
    for (std::size_t window = 1; window < num_windows; ++window)
      keys.push_back(random_key({of_media[i], window}));
  }
  return keys;
}

Branch make_branch(const VisionConfig& config, std::int64_t language_width) {
  BranchNames names{.place = ModulePlace::vision_branch,
                    .branch = "vision",
                    .section = "model.vision",
                    .max_positions_key = "max_frame_positions",
                    .positions_key = "frame_positions",
                    .encoders = "vision encoder",
                    .encoder = ModuleName::vision_encoder,
                    .encoder_lora = ModuleName::vision_encoder_lora,
                    .resampler = {},
                    .encoder_file = "vision_encoder",
                    .checkpoint = "vision_checkpoint"};
  Encoders encoders;
  encoders.push_back(make_encoder(config.encoder, {}));
  std::int64_t states_width = encoders.front()->width(),
               states_per_unit = encoders.front()->tokens_per_unit();
  std::unique_ptr<QFormer> resampler;
  if (config.has_resampler()) {
    resampler = std::make_unique<QFormer>(config.resampler, states_width);
    states_width = resampler->width();
    states_per_unit = resampler->num_tokens();
    names.resampler = ModuleName::image_q_former;
  }
  std::shared_ptr<Connector> connector;
  if (config.connector == ConnectorKind::mlp)
    connector =
        std::make_shared<MlpConnector>(config.mlp, states_per_unit, states_width, language_width);
  else
    connector = std::make_shared<QFormerConnector>(config.q_former, states_width);
  return assembled(config, names, std::move(encoders), std::move(resampler), std::move(connector),
                   language_width);
}

Branch make_branch(const AudioConfig& config, std::int64_t language_width) {
  const BranchNames names{.place = ModulePlace::audio_branch,
                          .branch = "audio",
                          .section = "model.audio",
                          .max_positions_key = "max_positions",
                          .positions_key = "positions",
                          .encoders = config.sees() ? "ImageBind" : "audio encoder",
                          .encoder = ModuleName::audio_encoder,
                          .encoder_lora = ModuleName::audio_encoder_lora,
                          .resampler = {},
                          .encoder_file = config.sees() ? "image_bind" : "audio_encoder",
                          .checkpoint = "audio_checkpoint"};
  const encoders::SharedSpace space{.width = config.embedding_width,
                                    .scale = config.embedding_scale};
  Encoders encoders;
  if (config.sees()) encoders.push_back(make_encoder(config.twin, space));
  encoders.push_back(make_encoder(config.encoder, space));
  auto connector = std::make_shared<QFormerConnector>(config.q_former, encoders.front()->width(),
                                                      states_per_window(config));
  return assembled(config, names, std::move(encoders), /*resampler=*/nullptr, std::move(connector),
                   language_width, config.sees() ? 0 : config.window_seconds);
}

std::vector<Branch> make_branches(const ModelConfig& config, std::int64_t language_width) {
  std::vector<Branch> branches;
  if (config.has_vision()) branches.push_back(make_branch(config.vision, language_width));
  if (config.has_audio()) branches.push_back(make_branch(config.audio, language_width));
  return branches;
}

}  // namespace vllama::models

#include "tools/bench/step_model.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/randint.h>

#include "core/random.h"
#include "text/prompt.h"

namespace vllama::bench {
namespace {

constexpr std::int64_t kBos = 1, kFirstPlainToken = 3;
constexpr std::int64_t kMaxPositions = 2048;

StepSizes tiny() {
  StepSizes sizes;
  sizes.vision.encoder = encoders::EvaVitConfig{
      .image_size = 56, .width = 48, .num_blocks = 2, .num_heads = 4, .mlp_width = 192};
  sizes.vision.resampler = {.num_queries = 8,
                            .num_layers = 2,
                            .width = 32,
                            .num_heads = 2,
                            .mlp_width = 128,
                            .cross_attention_every = 2};
  sizes.language.vocabulary_size = 1000;
  sizes.language.width = 64;
  sizes.language.mlp_width = 172;
  sizes.language.num_layers = 2;
  sizes.language.num_heads = 4;
  return sizes;
}

StepSizes hundred_million() {
  StepSizes sizes;
  sizes.vision.encoder =
      encoders::EvaVitConfig{.width = 192, .num_blocks = 6, .num_heads = 3, .mlp_width = 768};
  sizes.vision.resampler = {.num_queries = 32,
                            .num_layers = 4,
                            .width = 192,
                            .num_heads = 3,
                            .mlp_width = 768,
                            .cross_attention_every = 2};
  sizes.language.width = 640;
  sizes.language.mlp_width = 1728;
  sizes.language.num_layers = 10;
  sizes.language.num_heads = 10;
  return sizes;
}

at::Tensor drawn(const nn::Parameter& parameter, const at::TensorOptions& options) {
  const at::Tensor tensor = at::empty(parameter.shape, options);
  switch (parameter.initial.kind) {
    case nn::Initial::Kind::constant:
      return tensor.fill_(parameter.initial.scale);
    case nn::Initial::Kind::normal:
      return tensor.normal_(0, parameter.initial.scale);
    case nn::Initial::Kind::uniform:
      break;
  }
  return tensor.uniform_(-parameter.initial.scale, parameter.initial.scale);
}

nn::ParameterList frozen_parameters(models::VideoLlama& model) {
  nn::ParameterList list;
  for (models::Branch& branch : model.branches()) {
    branch.declare_encoders(list);
    branch.declare_resampler(list);
  }
  model.language_model().declare(list);
  return list;
}

}  // namespace

const std::vector<std::string>& step_size_names() {
  static const std::vector<std::string> names{"tiny", "100m", "video-llama-7b"};
  return names;
}

StepSizes step_sizes(const std::string& name) {
  StepSizes sizes;  // the defaults are the 7B model
  if (name == "tiny") sizes = tiny();
  if (name == "100m") sizes = hundred_million();
  sizes.vision.q_former = sizes.vision.resampler;
  sizes.vision.q_former.num_layers = 2;
  sizes.vision.q_former.cross_attention_every = 1;
  sizes.language.num_key_value_heads = sizes.language.num_heads;
  sizes.language.head_width = sizes.language.width / sizes.language.num_heads;
  sizes.language.max_positions = kMaxPositions;
  return sizes;
}

void draw_weights(const nn::ParameterList& parameters, at::ScalarType dtype, at::Device device) {
  for (const nn::Parameter& parameter : parameters)
    *parameter.tensor = drawn(parameter, at::TensorOptions(device).dtype(dtype));
}

std::unique_ptr<models::VideoLlama> random_model(const models::ModelConfig& config,
                                                 const language::LlamaConfig& language,
                                                 at::Device device) {
  const at::ScalarType dtype = models::frozen_type(config.precision);
  auto model = std::make_unique<models::VideoLlama>(config, language);
  draw_weights(frozen_parameters(*model), dtype, device);
  draw_weights(model->trainable_parameters(), at::kFloat, device);
  model->language_model().prepare(dtype, device);
  return model;
}

std::int64_t num_parameters(models::VideoLlama& model) {
  return nn::num_elements(frozen_parameters(model)) +
         nn::num_elements(model.trainable_parameters());
}

samples::Batch random_batch(models::VideoLlama& model, const BatchSizes& sizes, std::int64_t step) {
  const auto generator = at::detail::createCPUGenerator(static_cast<std::uint64_t>(step));
  const std::int64_t side = model.config().vision.encoder.as<encoders::EvaVitConfig>().image_size;
  const std::int64_t media = model.config().vision.q_former.num_queries,
                     caption = sizes.caption_tokens;
  const std::int64_t length = 1 + media + caption, clips = sizes.num_clips;
  samples::Batch batch;
  batch.step = step;
  samples::MediaGroup& group = batch.media.emplace_back();
  group.values = at::randint(0, 256, {clips * sizes.frames_per_clip, side, side, 3}, generator,
                             at::TensorOptions(at::kByte));
  const at::Tensor captions =
      at::randint(kFirstPlainToken, model.language_model().config().vocabulary_size,
                  {clips, caption}, generator, at::TensorOptions(at::kLong));
  at::Tensor ids = at::full({clips, length}, 0, at::kLong);
  at::Tensor labels = at::full({clips, length}, text::kIgnoredLabel, at::kLong);
  ids.select(1, 0).fill_(kBos);
  ids.narrow(1, 1 + media, caption).copy_(captions);
  labels.narrow(1, 1 + media, caption).copy_(captions);
  batch.token_ids_T = ids.flatten();
  batch.labels_T = labels.flatten();
  group.positions_M =
      (at::arange(clips, at::kLong).mul(length).add(1).unsqueeze(1) + at::arange(media, at::kLong))
          .flatten();
  batch.num_targets = clips * caption;
  for (std::int64_t clip = 0; clip < clips; ++clip) {
    const auto number = static_cast<std::uint64_t>(step * clips + clip);
    batch.sample_ids.push_back(std::to_string(number));
    group.dropout_keys.push_back(random_key({number}));
    group.extents.emplace_back(sizes.frames_per_clip);
    batch.sequence_lengths.push_back(length);
  }
  return batch;
}

}  // namespace vllama::bench

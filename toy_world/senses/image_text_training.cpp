#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

#include <cmath>

#include "toy_world/senses/background_producer.h"
#include "toy_world/senses/captions.h"
#include "toy_world/senses/contrast.h"
#include "toy_world/senses/embed_pictures.h"
#include "toy_world/senses/encoder_start.h"
#include "toy_world/senses/image_bind_training.h"
#include "toy_world/senses/picture_labels.h"
#include "toy_world/senses/starts.h"
#include "toy_world/senses/training.h"

namespace vllama::toy {
namespace {

constexpr double kFirstScale = 1 / 0.07, kLargestScale = 100;

struct Batch {
  at::Tensor frames_NHWC, words_NL, matches_NN;
};

Batch draw_batch(const CaptionWords& table, std::int64_t size, RandomStream random) {
  std::vector<Picture> pictures;
  std::vector<std::string> captions;
  std::vector<std::int64_t> words;
  for (std::int64_t i = 0; i < size; ++i) {
    pictures.push_back(draw_picture(random));
    captions.push_back(describe(pictures.back(), random));
    for (const std::int64_t number : table.encode(captions.back())) words.push_back(number);
  }
  return {frames(pictures), at::tensor(words, at::kLong).view({size, -1}), matches(captions)};
}

}  // namespace

std::vector<double> train_image_text(ImageBind& image_bind, TextTrunk& text,
                                     encoders::EvaVit& encoder, const ImageTextTraining& settings,
                                     std::uint64_t seed) {
  nn::ParameterList parameters;
  nn::ParameterList trunks = image_bind.parameters();
  enlarge_starts(trunks);
  nn::initialize(trunks, seed);
  start_from(encoder, trunks);
  for (const nn::Parameter& parameter : trunks)
    if (is_of_vision(parameter.name)) parameters.push_back(parameter);

  nn::ParameterList fresh;
  at::Tensor log_scale;
  text.declare(fresh);
  fresh.push_back({"log_scale", {}, &log_scale, nn::constant(std::log(kFirstScale))});
  nn::initialize(fresh, seed);
  parameters.insert(parameters.end(), fresh.begin(), fresh.end());

  const CaptionWords table;
  BackgroundProducer<Batch> batches([&table, &settings, seed](std::int64_t step) {
    return draw_batch(table, settings.batch_size,
                      RandomStream(stream_key(seed, Stream::captions, step)));
  });
  const auto loss_of_step = [&](std::int64_t) {
    const Batch batch = batches.next();
    const at::Tensor images = as_encoders_read(batch.frames_NHWC);
    return contrast_loss(image_bind.pictures.trunk()(images), text(batch.words_NL),
                         log_scale.exp().clamp_max(kLargestScale), batch.matches_NN);
  };
  return train(parameters,
               {.name = "image and text",
                .num_steps = settings.num_steps,
                .peak_learning_rate = settings.peak_learning_rate},
               loss_of_step);
}

}  // namespace vllama::toy

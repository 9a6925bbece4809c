#include <ATen/TensorOperators.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include "toy_world/senses/contrast.h"
#include "toy_world/senses/embed_pictures.h"
#include "toy_world/senses/encoder_start.h"
#include "toy_world/senses/image_bind_training.h"
#include "toy_world/senses/sound_pairs.h"
#include "toy_world/senses/starts.h"
#include "toy_world/senses/training.h"

namespace vllama::toy {
namespace {

constexpr double kScale = 20;
// Contrast alone leaves a gap between the two kinds of embeddings. Whoever is trained on one and
// used with the other falls into it, so pairs are also drawn together themselves.
constexpr double kNearnessWeight = 5;

}  // namespace

std::vector<double> train_sound(ImageBind& image_bind, const SoundTraining& settings,
                                std::uint64_t seed) {
  nn::ParameterList parameters;
  for (const nn::Parameter& parameter : image_bind.parameters())
    if (!is_of_vision(parameter.name) && parameter.name != encoders::kLogAudioFactorName)
      parameters.push_back(parameter);
  const SoundPairs pairs = draw_sound_pairs(settings.num_pairs, seed);
  const at::Tensor pictures_NE = embed_pictures(image_bind.pictures.trunk(), pairs.pictures);
  const at::Tensor scale = at::scalar_tensor(kScale, at::kFloat);

  const auto loss_of_step = [&](std::int64_t step) {
    RandomStream random(stream_key(seed, Stream::sound_batches, step));
    std::vector<std::int64_t> rows;
    std::vector<std::string> contents;
    for (std::int64_t i = 0; i < settings.batch_size; ++i) {
      const std::uint64_t row = random.below(pairs.contents.size());
      rows.push_back(static_cast<std::int64_t>(row));
      contents.push_back(pairs.contents[row]);
    }
    const at::Tensor rows_N = at::tensor(rows, at::kLong);
    const at::Tensor sounds_N1MT = pairs.sounds_N1MT.index_select(0, rows_N).to(at::kFloat);
    const at::Tensor heard_NE = image_bind.sounds.trunk()(sounds_N1MT);
    const at::Tensor seen_NE = pictures_NE.index_select(0, rows_N);
    return contrast_loss(heard_NE, seen_NE, scale, matches(contents)) +
           kNearnessWeight * (1 - (heard_NE * seen_NE).sum(1)).mean();
  };
  return train(parameters,
               {.name = "sound",
                .num_steps = settings.num_steps,
                .peak_learning_rate = settings.peak_learning_rate},
               loss_of_step);
}

}  // namespace vllama::toy

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/scalar_tensor.h>
#include <ATen/ops/tensor.h>

#include <cstdlib>

#include "models/vision_branch.h"
#include "toy_world/base/contrast.h"
#include "toy_world/base/image_bind_training.h"
#include "toy_world/base/picture_labels.h"
#include "toy_world/base/sound_pairs.h"
#include "toy_world/base/starts.h"
#include "toy_world/base/training.h"

namespace vllama::toy {
namespace {

constexpr double kScale = 20;
static const double kAlignmentWeight = getenv("ALIGN") ? atof(getenv("ALIGN")) : 5;
constexpr std::int64_t kPicturesAtOnce = 128;
constexpr std::int64_t kFirstBinCut = 100;  // of 128
constexpr double kLowestFloor = -1.3, kHighestFloor = -0.5;

at::Tensor embed(const models::ImageBindVision& encoder, const std::vector<Picture>& pictures) {
  const at::AutoGradMode no_graph(false);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : frames(pictures).split(kPicturesAtOnce))
    parts.push_back(encoder(models::VisionBranch::normalize(part, at::kFloat)));
  return at::cat(parts);
}

// Half of the sounds lose their highest bins, as behind a codec.
void wear(at::Tensor& sounds_N1MT, RandomStream& random) {
  const std::int64_t num_bins = sounds_N1MT.size(2);
  for (std::int64_t i = 0; i < sounds_N1MT.size(0); ++i) {
    if (random.below(2) == 0) continue;
    const auto num_kept = kFirstBinCut + static_cast<std::int64_t>(random.below(
                                             static_cast<std::uint64_t>(num_bins - kFirstBinCut)));
    sounds_N1MT.select(0, i)
        .narrow(1, num_kept, num_bins - num_kept)
        .fill_(random.uniform(kLowestFloor, kHighestFloor));
  }
}

}  // namespace

std::vector<double> train_sound(models::AudioBranch& audio, const SoundTraining& settings,
                                std::uint64_t seed) {
  nn::ParameterList trunks, parameters;
  audio.declare_trunks(trunks);
  for (const nn::Parameter& parameter : trunks)
    if (parameter.name.find(".audio.") != std::string::npos &&
        parameter.name != models::kLogAudioFactorName)
      parameters.push_back(parameter);
  const SoundPairs pairs = draw_sound_pairs(settings.num_pairs, seed);
  const at::Tensor pictures_NE = embed(audio.vision_encoder(), pairs.pictures);
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
    at::Tensor sounds_N1MT = pairs.sounds_N1MT.index_select(0, rows_N).to(at::kFloat);
    wear(sounds_N1MT, random);
    const at::Tensor heard_NE = audio.audio_encoder()(sounds_N1MT);
    const at::Tensor seen_NE = pictures_NE.index_select(0, rows_N);
    return contrast_loss(heard_NE, seen_NE, scale, matches(contents)) +
           kAlignmentWeight * (1 - (heard_NE * seen_NE).sum(1)).mean();
  };
  return train(parameters,
               {.name = "sound",
                .num_steps = settings.num_steps,
                .peak_learning_rate = settings.peak_learning_rate},
               loss_of_step);
}

}  // namespace vllama::toy

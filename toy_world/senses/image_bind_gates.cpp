#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

#include "toy_world/senses/captions.h"
#include "toy_world/senses/embed_pictures.h"
#include "toy_world/senses/gates.h"
#include "toy_world/senses/linear_probe.h"
#include "toy_world/senses/picture_labels.h"
#include "toy_world/senses/sound_pairs.h"
#include "toy_world/senses/starts.h"

namespace vllama::toy {
namespace {

constexpr double kLeastAccuracy = 0.95;
constexpr std::size_t kInputsAtOnce = 128;
// Scenes whose only shape is there all the time.
constexpr SceneRules kOneShape{.pairs = Pairs::all, .form_weights = {1, 1, 0}, .max_shapes = 1};

std::vector<Picture> draw_pictures(std::int64_t count, const SceneRules& rules,
                                   RandomStream random) {
  std::vector<Picture> pictures;
  for (std::int64_t i = 0; i < count; ++i) pictures.push_back(draw_picture(random, rules));
  return pictures;
}

// The sound around every picture.
at::Tensor embed_sounds(const encoders::ImageBindAudio& encoder,
                        const std::vector<Picture>& pictures, Carrier carrier) {
  const at::AutoGradMode no_graph(false);
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i < pictures.size(); i += kInputsAtOnce) {
    const auto some = std::span(pictures).subspan(i, std::min(kInputsAtOnce, pictures.size() - i));
    parts.push_back(encoder(sounds_around(some, carrier)));
  }
  return at::cat(parts);
}

at::Tensor kinds_of(const std::vector<Picture>& pictures) {
  std::vector<std::int64_t> kinds;
  for (const Picture& picture : pictures)
    kinds.push_back(static_cast<std::int64_t>(picture.scene.shapes.front().kind));
  return at::tensor(kinds, at::kLong);
}

// The mean embedding of every kind -> [kinds, E], of length 1.
at::Tensor prototypes(const at::Tensor& embeddings_NE, const at::Tensor& kinds_N) {
  at::Tensor sums_KE = at::zeros({kNumKinds, embeddings_NE.size(1)}, at::kFloat);
  sums_KE.index_add_(0, kinds_N, embeddings_NE);
  return sums_KE / sums_KE.norm(2, {1}, /*keepdim=*/true);
}

double share_matched(const at::Tensor& embeddings_NE, const at::Tensor& prototypes_KE,
                     const at::Tensor& kinds_N) {
  const at::Tensor nearest_N = at::matmul(embeddings_NE, prototypes_KE.t()).argmax(1);
  return nearest_N.eq(kinds_N).to(at::kFloat).mean().item<double>();
}

double cosine(const at::Tensor& a_NE, const at::Tensor& b_NE) {
  return (a_NE * b_NE).sum(1).mean().item<double>();
}

}  // namespace

std::vector<Gate> image_bind_gates(const ImageBind& image_bind, std::uint64_t seed,
                                   const GateSizes& sizes) {
  const auto stream = [seed](std::int64_t index) {
    return RandomStream(stream_key(seed, Stream::gates, index));
  };
  const auto shown = draw_pictures(sizes.num_prototypes, kOneShape, stream(2));
  const auto single = draw_pictures(sizes.num_matched, kOneShape, stream(3));
  const at::Tensor prototypes_KE =
      prototypes(embed_pictures(image_bind.pictures.trunk(), shown), kinds_of(shown));
  const auto matched = [&](const at::Tensor& embeddings_NE) {
    return share_matched(embeddings_NE, prototypes_KE, kinds_of(single));
  };
  const auto heard = [&](const std::vector<Picture>& pictures, Carrier carrier) {
    return embed_sounds(image_bind.sounds.trunk(), pictures, carrier);
  };

  const auto fitted = draw_pictures(sizes.num_fitted, kBaseRules, stream(4));
  const auto tested = draw_pictures(sizes.num_tested, kBaseRules, stream(5));
  const auto present = [](const std::vector<Picture>& pictures) {
    return label(pictures, 1).kinds.present;
  };
  const LinearProbe probe(embed_pictures(image_bind.pictures.trunk(), fitted), present(fitted));
  const at::Tensor pictures_NE = embed_pictures(image_bind.pictures.trunk(), tested),
                   sounds_NE = heard(tested, Carrier::clip);
  return {
      {"picture -> kind", matched(embed_pictures(image_bind.pictures.trunk(), single)),
       kLeastAccuracy},
      {"sound -> kind", matched(heard(single, Carrier::none)), kLeastAccuracy},
      {"sound of clip -> kind", matched(heard(single, Carrier::clip)), kLeastAccuracy},
      {"kinds seen in scenes", balanced_accuracy(probe(pictures_NE), present(tested)), {}},
      {"kinds heard in scenes", balanced_accuracy(probe(sounds_NE), present(tested)), {}},
      {"cosine of same scene", cosine(pictures_NE, sounds_NE), {}},
      {"cosine of other scene", cosine(pictures_NE, sounds_NE.roll({1}, {0})), {}},
      {"distance of means", (pictures_NE.mean(0) - sounds_NE.mean(0)).norm().item<double>(), {}}};
}

Gate caption_gate(const ImageBind& image_bind, const TextTrunk& text, std::uint64_t seed,
                  const GateSizes& sizes) {
  const at::AutoGradMode no_graph(false);
  const auto single =
      draw_pictures(sizes.num_matched, kOneShape, RandomStream(stream_key(seed, Stream::gates, 3)));
  std::vector<std::int64_t> words;
  for (const auto kind : kKindWords)
    for (const std::int64_t number : CaptionWords().encode("a " + std::string(kind)))
      words.push_back(number);
  const at::Tensor captions_KE = text(at::tensor(words, at::kLong).view({kNumKinds, -1}));
  return {"picture -> caption",
          share_matched(embed_pictures(image_bind.pictures.trunk(), single), captions_KE,
                        kinds_of(single)),
          kLeastAccuracy};
}

}  // namespace vllama::toy

#include <ATen/TensorOperators.h>

#include "toy_world/scene/drawing.h"
#include "toy_world/senses/clip_file.h"
#include "toy_world/senses/gates.h"
#include "toy_world/senses/linear_probe.h"
#include "toy_world/senses/picture_labels.h"
#include "toy_world/senses/starts.h"
#include "toy_world/senses/vision_training.h"

namespace vllama::toy {
namespace {

constexpr double kLeastAccuracy = 0.95, kLeastExplained = 0.9;

struct Sample {
  at::Tensor queries_MF;
  PictureLabels labels;
};

Sample read_sample(const models::Branch& vision, const std::vector<Picture>& pictures) {
  return {vision.encode(0, frames(pictures)).view({std::ssize(pictures), -1}),
          label(pictures, patches_per_side(vision))};
}

std::vector<Picture> draw_pictures(std::int64_t count, RandomStream random) {
  std::vector<Picture> pictures;
  for (std::int64_t i = 0; i < count; ++i) pictures.push_back(draw_picture(random));
  return pictures;
}

std::vector<Picture> draw_clip_pictures(std::int64_t count, RandomStream random) {
  std::vector<Picture> pictures;
  std::vector<std::vector<std::uint8_t>> drawn;
  for (std::int64_t i = 0; i < count; ++i) {
    Scene scene = draw_scene(random, kBaseRules);
    const double time = random.uniform();
    drawn.push_back(draw_picture(scene, time, /*frame=*/0));
    pictures.push_back({std::move(scene), time, {}});
  }
  drawn = pictures_through_clip(drawn);
  for (std::size_t i = 0; i < pictures.size(); ++i) pictures[i].pixels = std::move(drawn[i]);
  return pictures;
}

// What is known of the shapes of one kind, with a row for each picture that shows one.
struct ShapesOfKind {
  at::Tensor features_MF, colour_M, size_M, place_M2;

  ShapesOfKind(const Sample& sample, std::int64_t kind) {
    const ShapeLabels& labels = sample.labels.kinds;
    const at::Tensor rows_M = labels.present.select(1, kind).nonzero().squeeze(1);
    const auto of_kind = [&](const at::Tensor& values) {
      return values.select(1, kind).index_select(0, rows_M);
    };
    features_MF = sample.queries_MF.index_select(0, rows_M);
    colour_M = of_kind(labels.colour);
    size_M = of_kind(labels.size);
    place_M2 = of_kind(labels.place);
  }
};

class ShapeProbes {
 public:
  explicit ShapeProbes(const ShapesOfKind& shapes)
      : colour_(shapes.features_MF, shapes.colour_M, kNumColours),
        size_(shapes.features_MF, shapes.size_M, 2),
        place_(shapes.features_MF, shapes.place_M2) {}

  double colour(const ShapesOfKind& shapes) const {
    return colour_.accuracy(shapes.features_MF, shapes.colour_M);
  }
  double size(const ShapesOfKind& shapes) const {
    return size_.accuracy(shapes.features_MF, shapes.size_M);
  }
  double place(const ShapesOfKind& shapes) const {
    return explained_variance(place_(shapes.features_MF), shapes.place_M2);
  }

 private:
  ChoiceProbe colour_, size_;
  LinearProbe place_;
};

class Probes {
 public:
  explicit Probes(const Sample& sample)
      : presence_(sample.queries_MF, sample.labels.kinds.present),
        field_(sample.queries_MF, sample.labels.field_N, kNumFields),
        number_(sample.queries_MF, sample.labels.number_N, kNumNumbers) {
    for (std::int64_t kind = 0; kind < kNumKinds; ++kind)
      shapes_.emplace_back(ShapesOfKind(sample, kind));
  }

  std::vector<Gate> measure(const Sample& sample, const std::string& where) const {
    double colour = 0, size = 0, place = 0;
    for (std::int64_t kind = 0; kind < kNumKinds; ++kind) {
      const ShapesOfKind shapes(sample, kind);
      const ShapeProbes& probes = shapes_[static_cast<std::size_t>(kind)];
      colour += probes.colour(shapes) / kNumKinds;
      size += probes.size(shapes) / kNumKinds;
      place += probes.place(shapes) / kNumKinds;
    }
    const at::Tensor& features = sample.queries_MF;
    return {{"kind" + where, balanced_accuracy(presence_(features), sample.labels.kinds.present),
             kLeastAccuracy},
            {"colour" + where, colour, kLeastAccuracy},
            {"field" + where, field_.accuracy(features, sample.labels.field_N), kLeastAccuracy},
            {"place" + where, place, kLeastExplained},
            {"size" + where, size, {}},
            {"number" + where, number_.accuracy(features, sample.labels.number_N), {}}};
  }

 private:
  LinearProbe presence_;
  ChoiceProbe field_, number_;
  std::vector<ShapeProbes> shapes_;
};

}  // namespace

std::vector<Gate> vision_gates(const models::Branch& vision, std::uint64_t seed,
                               const GateSizes& sizes) {
  const auto stream = [seed](std::int64_t index) {
    return RandomStream(stream_key(seed, Stream::gates, index));
  };
  const Probes probes(read_sample(vision, draw_pictures(sizes.num_fitted, stream(0))));
  std::vector<Gate> gates =
      probes.measure(read_sample(vision, draw_pictures(sizes.num_tested, stream(1))), "");
  const auto from_clips = draw_clip_pictures(sizes.num_tested, stream(6));
  for (Gate& gate : probes.measure(read_sample(vision, from_clips), ", from clips"))
    gates.push_back(std::move(gate));
  return gates;
}

}  // namespace vllama::toy

#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>

#include "toy_world/base/gates.h"
#include "toy_world/base/linear_probe.h"
#include "toy_world/base/picture_labels.h"
#include "toy_world/base/starts.h"

namespace vllama::toy {
namespace {

constexpr double kLeastAccuracy = 0.95, kLeastExplained = 0.9;
constexpr std::int64_t kNumNumbers = 4;

struct Sample {
  at::Tensor queries_MF;
  PictureLabels labels;
};

Sample draw_sample(const models::VisionBranch& vision, std::int64_t count, RandomStream random) {
  std::vector<Picture> pictures;
  for (std::int64_t i = 0; i < count; ++i) pictures.push_back(draw_picture(random));
  const at::Tensor images = models::VisionBranch::normalize(frames(pictures), at::kFloat);
  return {vision.encode_frames(images).view({count, -1}),
          label(pictures, vision.config().encoder.num_patches_per_side())};
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

std::vector<Gate> vision_gates(const models::VisionBranch& vision, std::uint64_t seed,
                               const GateSizes& sizes) {
  const Sample fitted =
      draw_sample(vision, sizes.num_fitted, RandomStream(stream_key(seed, Stream::gates, 0)));
  const Sample tested =
      draw_sample(vision, sizes.num_tested, RandomStream(stream_key(seed, Stream::gates, 1)));
  std::vector<double> colour, size, place;
  for (std::int64_t kind = 0; kind < kNumKinds; ++kind) {
    const auto with_kind = [kind](const Sample& sample) {
      return sample.labels.kinds.present.select(1, kind).nonzero().squeeze(1);
    };
    const at::Tensor fitted_rows = with_kind(fitted), tested_rows = with_kind(tested);
    const at::Tensor features = fitted.queries_MF.index_select(0, fitted_rows),
                     unseen = tested.queries_MF.index_select(0, tested_rows);
    const auto of_kind = [kind](const at::Tensor& labels, const at::Tensor& rows) {
      return labels.select(1, kind).index_select(0, rows);
    };
    const ShapeLabels &taught = fitted.labels.kinds, &asked = tested.labels.kinds;
    colour.push_back(ChoiceProbe(features, of_kind(taught.colour, fitted_rows), kNumColours)
                         .accuracy(unseen, of_kind(asked.colour, tested_rows)));
    size.push_back(ChoiceProbe(features, of_kind(taught.size, fitted_rows), 2)
                       .accuracy(unseen, of_kind(asked.size, tested_rows)));
    const LinearProbe places(features, of_kind(taught.place, fitted_rows));
    place.push_back(explained_variance(places(unseen), of_kind(asked.place, tested_rows)));
  }
  const LinearProbe presence(fitted.queries_MF, fitted.labels.kinds.present);
  const auto choice = [&](const at::Tensor PictureLabels::*which, std::int64_t num_choices) {
    return ChoiceProbe(fitted.queries_MF, fitted.labels.*which, num_choices)
        .accuracy(tested.queries_MF, tested.labels.*which);
  };
  return {{"kind", balanced_accuracy(presence(tested.queries_MF), tested.labels.kinds.present),
           kLeastAccuracy},
          {"colour", mean(colour), kLeastAccuracy},
          {"field", choice(&PictureLabels::field_N, kNumFields), kLeastAccuracy},
          {"place", mean(place), kLeastExplained},
          {"size", mean(size), {}},
          {"number", choice(&PictureLabels::number_N, kNumNumbers), {}}};
}

}  // namespace vllama::toy

#include "toy_world/senses/picture_labels.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <algorithm>

namespace vllama::toy {
namespace {

ShapeLabels empty_labels(std::int64_t num_pictures, std::int64_t num_places) {
  const std::vector<std::int64_t> shape{num_pictures, num_places};
  const auto nothing = [&] { return at::full(shape, kNothing, at::kLong); };
  return {at::zeros(shape, at::kFloat), nothing(), nothing(), nothing(),
          at::zeros({num_pictures, num_places, 2}, at::kFloat)};
}

// The shape that is entered first stays.
void enter(ShapeLabels& labels, std::int64_t row, const Shape& shape, double time) {
  if (labels.present.data_ptr<float>()[row] == 1) return;
  const Point place = shape.at(time);
  const auto scaled = [](double pixels) { return static_cast<float>(2 * pixels / kSide - 1); };
  labels.present.data_ptr<float>()[row] = 1;
  labels.kind.data_ptr<std::int64_t>()[row] = static_cast<std::int64_t>(shape.kind);
  labels.colour.data_ptr<std::int64_t>()[row] = static_cast<std::int64_t>(shape.colour);
  labels.size.data_ptr<std::int64_t>()[row] = shape.is_large ? 1 : 0;
  labels.place.data_ptr<float>()[2 * row] = scaled(place.x);
  labels.place.data_ptr<float>()[2 * row + 1] = scaled(place.y);
}

std::int64_t patch_of(Point place, std::int64_t patches_per_side) {
  const auto cell = [&](double pixels) {
    const auto index =
        static_cast<std::int64_t>(pixels * static_cast<double>(patches_per_side) / kSide);
    return std::clamp(index, std::int64_t{0}, patches_per_side - 1);
  };
  return cell(place.y) * patches_per_side + cell(place.x);
}

}  // namespace

PictureLabels label(std::span<const Picture> pictures, std::int64_t patches_per_side) {
  const auto num_pictures = static_cast<std::int64_t>(pictures.size());
  const std::int64_t num_patches = patches_per_side * patches_per_side;
  PictureLabels labels{empty_labels(num_pictures, num_patches),
                       empty_labels(num_pictures, kNumKinds), at::empty({num_pictures}, at::kLong),
                       at::empty({num_pictures}, at::kLong)};
  for (std::int64_t i = 0; i < num_pictures; ++i) {
    const Picture& picture = pictures[static_cast<std::size_t>(i)];
    const auto visible = picture.scene.visible(picture.time);
    for (const Shape* shape : visible) {
      const std::int64_t patch = patch_of(shape->at(picture.time), patches_per_side);
      enter(labels.patches, i * num_patches + patch, *shape, picture.time);
      enter(labels.kinds, i * kNumKinds + static_cast<std::int64_t>(shape->kind), *shape,
            picture.time);
    }
    labels.field_N.data_ptr<std::int64_t>()[i] =
        static_cast<std::int64_t>(picture.scene.background.field);
    labels.number_N.data_ptr<std::int64_t>()[i] = static_cast<std::int64_t>(visible.size());
  }
  return labels;
}

at::Tensor frames(std::span<const Picture> pictures) {
  at::Tensor result =
      at::empty({static_cast<std::int64_t>(pictures.size()), kSide, kSide, 3}, at::kByte);
  auto* out = result.data_ptr<std::uint8_t>();
  for (const Picture& picture : pictures)
    out = std::copy(picture.pixels.begin(), picture.pixels.end(), out);
  return result;
}

}  // namespace vllama::toy

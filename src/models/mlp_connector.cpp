#include "models/mlp_connector.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/avg_pool2d.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/replication_pad2d.h>
#include <fmt/format.h>

#include "core/divided_up.h"
#include "core/error.h"
#include "encoders/patch_grid.h"
#include "encoders/transformer_cost.h"

namespace vllama::models {
namespace {

std::int64_t required_side(std::int64_t states_per_unit) {
  if (const auto side = encoders::grid_side(states_per_unit, /*num_class_tokens=*/0)) return *side;
  throw UserError(fmt::format(
      "model.vision.connector: mlp takes a square of patches for each picture, and this encoder "
      "with what stands behind it makes {} vectors; choose an encoder that makes patches alone "
      "(siglip, clip) without a Q-Former over each frame, or connector: q_former",
      states_per_unit));
}

}  // namespace

MlpConnector::MlpConnector(const MlpConfig& config, std::int64_t states_per_unit,
                           std::int64_t states_width, std::int64_t width)
    : config_(config),
      grid_side_(required_side(states_per_unit)),
      states_width_(states_width),
      layer_(config.merge * config.merge * states_width, width) {}

std::int64_t MlpConnector::side_of(const MediumShape& medium) const {
  const std::int64_t pooled =
      is_clip(medium) ? divided_up(grid_side_, config_.clip_pooling) : grid_side_;
  return divided_up(pooled, config_.merge);
}

std::int64_t MlpConnector::num_tokens(const MediumShape& medium) const {
  return medium.num_units * side_of(medium) * side_of(medium);
}

void MlpConnector::declare(nn::ParameterList& list, const PublishedPart& part) {
  if (part.kind != PartKind::mlp) return;
  const nn::Initial bound = nn::uniform_by_fan_in(layer_.inputs);
  layer_.declare(list, std::string(part.beginning), bound, bound);
}

at::Tensor MlpConnector::merged(const at::Tensor& states_SE, const MediumShape& medium) const {
  at::Tensor grid_FEss = states_SE.view({medium.num_units, grid_side_, grid_side_, states_width_})
                             .permute({0, 3, 1, 2});
  if (is_clip(medium) && config_.clip_pooling > 1) {
    const std::vector<std::int64_t> square{config_.clip_pooling, config_.clip_pooling};
    // At the edges the mean is of the patches that are there.
    grid_FEss = at::avg_pool2d(grid_FEss, square, square, /*padding=*/0, /*ceil_mode=*/true,
                               /*count_include_pad=*/false);
  }
  const std::int64_t merge = config_.merge, side = side_of(medium);
  const std::int64_t missing = side * merge - grid_FEss.size(2);
  if (missing > 0)
    grid_FEss = at::replication_pad2d(grid_FEss, std::vector<std::int64_t>{0, missing, 0, missing});
  // The features of a square lie row by row.
  return grid_FEss.view({medium.num_units, states_width_, side, merge, side, merge})
      .permute({0, 2, 4, 3, 5, 1})
      .reshape({-1, merge * merge * states_width_});
}

at::Tensor MlpConnector::operator()(const at::Tensor& states_SE, std::span<const MediumShape> media,
                                    nn::Dropout /*dropout*/) const {
  std::vector<at::Tensor> squares;
  std::int64_t first = 0;
  for (const MediumShape& medium : media) {
    squares.push_back(merged(states_SE.narrow(0, first, medium.num_states), medium));
    first += medium.num_states;
  }
  return at::gelu(layer_(at::cat(squares)));
}

double MlpConnector::flops(const MediumShape& medium) const {
  return encoders::product_flops(static_cast<double>(num_tokens(medium)),
                                 static_cast<double>(layer_.inputs),
                                 static_cast<double>(layer_.outputs));
}

}  // namespace vllama::models

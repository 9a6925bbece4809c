// Positions of frames: rows of the table, spread over it, or none.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "models/branch.h"
#include "tests/models/sizes.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Catch::Contains;
using models::PositionKind;
using models::PositionTable;

namespace {

constexpr std::int64_t kRows = 8, kWidth = 6;
constexpr double kRounding = 1e-6;  // of one product and two sums in fp32

struct Table {
  explicit Table(PositionKind kind, std::int64_t num_rows = 0)
      : positions({kind, num_rows}, kRows, kWidth, "model.vision") {
    nn::ParameterList list;
    positions.declare(list, "table");
    nn::initialize(list, 5);
    weight = list.at(0).tensor;
  }
  at::Tensor row(std::int64_t number) const { return weight->detach().select(0, number); }

  PositionTable positions;
  at::Tensor* weight = nullptr;
};

// The vision branch behind its image Q-Former, with weights of its own.
struct PlacedBranch {
  explicit PlacedBranch(PositionKind kind, std::int64_t num_rows = 0)
      : model(models::make_branch(config(kind, num_rows), 64)) {
    model.declare_trainable(trainable);
    nn::initialize(trainable, 7);
    for (const nn::Parameter& parameter : trainable) {
      if (parameter.name.starts_with("video_Qformer") && parameter.tensor->dim() == 2)
        parameter.tensor->mul_(10);  // attention that is not flat, as fresh weights have it
      parameter.tensor->requires_grad_(true);
    }
  }
  static models::VisionConfig config(PositionKind kind, std::int64_t num_rows) {
    models::VisionConfig config = test::tiny_vision(56);
    config.positions = kind;
    config.position_rows = num_rows;
    return config;
  }
  // Of one clip, from features of so many frames.
  at::Tensor operator()(const at::Tensor& features, std::int64_t num_frames) const {
    return model.embed(features, {num_frames});
  }
  models::Branch model;
  nn::ParameterList trainable;
};

at::Tensor features_of(std::int64_t num_frames) {
  return test::random_tensor({num_frames * 6, 32}, 4);
}

at::Tensor position_gradient(const nn::ParameterList& list) {
  for (const nn::Parameter& parameter : list)
    if (parameter.name.starts_with("video_frame_position_embedding"))
      return parameter.tensor->grad();
  FAIL("the branch has no positions");
  return {};
}

}  // namespace

TEST_CASE("positions: interpolated ones are the table where the numbers agree") {
  const Table table(PositionKind::table), interpolated(PositionKind::interpolated),
      of_four(PositionKind::interpolated, 4);
  CHECK(test::same_bits(table.positions({8, 8}), interpolated.positions({8, 8})));
  CHECK(test::same_bits(table.positions({1, 4}), of_four.positions({1, 4})));
  CHECK(
      test::same_bits(table.positions({3}), at::stack({table.row(0), table.row(1), table.row(2)})));
}

TEST_CASE("positions: fewer frames take the rows of their times, more lie between rows") {
  const Table table(PositionKind::interpolated);
  CHECK(test::same_bits(table.positions({4}),
                        at::stack({table.row(0), table.row(2), table.row(4), table.row(6)})));
  const at::Tensor sixteen = table.positions({16});
  CHECK(test::same_bits(sixteen.select(0, 6), table.row(3)));
  CHECK(test::relative_difference(sixteen.select(0, 7), (table.row(3) + table.row(4)) / 2) <
        kRounding);
  CHECK(test::same_bits(sixteen.select(0, 15), table.row(7)));
  const at::Tensor three = table.positions({3});  // at 0, 8/3 and 16/3
  CHECK(test::relative_difference(three.select(0, 1), table.row(2) / 3 + table.row(3) * 2 / 3) <
        kRounding);
  const at::Tensor both = table.positions({3, 16});
  CHECK(test::same_bits(both, at::cat({three, sixteen})));
}

TEST_CASE("positions: how many frames a clip may have, and rows that are not there") {
  CHECK(Table(PositionKind::table).positions.most_units() == kRows);
  CHECK(Table(PositionKind::interpolated).positions({500}).size(0) == 500);
  CHECK_THROWS_WITH(Table(PositionKind::interpolated, 9),
                    Contains("model.vision.position_rows = 9") && Contains("8 rows"));
  CHECK_THROWS_WITH(PlacedBranch(PositionKind::table)(features_of(12), 12),
                    Contains("12 frames") && Contains("max_frame_positions = 11") &&
                        Contains("frame_positions: interpolated"));
  CHECK(PlacedBranch(PositionKind::interpolated)(features_of(64), 64).size(0) == 5);
  CHECK(PlacedBranch(PositionKind::none)(features_of(64), 64).size(0) == 5);
}

TEST_CASE("positions: gradients reach every row that stands beside a frame") {
  const PlacedBranch branch(PositionKind::interpolated, 8);
  branch(features_of(16), 16).pow(2).sum().backward();
  const at::Tensor gradient = position_gradient(branch.trainable);
  for (std::int64_t row = 0; row < 11; ++row) {
    INFO(row);
    CHECK((gradient.select(0, row).abs().max().item<double>() > 0) == (row < 8));
  }
}

TEST_CASE("positions: without them the order of frames is lost, and their table is zero") {
  const at::Tensor features = features_of(8);
  const at::Tensor reversed = features.view({8, 6, 32}).flip(0).reshape({48, 32});
  const PlacedBranch with(PositionKind::table);
  PlacedBranch without(PositionKind::none);
  CHECK(test::relative_difference(with(reversed, 8).detach(), with(features, 8).detach()) > 1e-3);
  const at::Tensor media = without(features, 8);
  CHECK(test::relative_difference(without(reversed, 8).detach(), media.detach()) < 1e-5);
  media.pow(2).sum().backward();
  CHECK_FALSE(position_gradient(without.trainable).defined());

  without.model.clear_unused_positions();
  const at::Tensor before = media.detach().clone();
  PlacedBranch added(PositionKind::table);  // as a program does that knows no other way
  for (std::size_t i = 0; i < added.trainable.size(); ++i)
    *added.trainable[i].tensor = *without.trainable[i].tensor;
  CHECK(test::same_bits(added(features, 8).detach(), before));
}

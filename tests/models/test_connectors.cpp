// Connectors: windows of a sound, and squares of patches.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/stack.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "models/branch.h"
#include "models/mlp_connector.h"
#include "models/q_former_connector.h"
#include "tests/support/tensors.h"

using namespace vllama;
using models::MediumShape;

namespace {

using Lengths = std::vector<std::int64_t>;

constexpr models::QFormerConfig kQFormer{.num_queries = 2,
                                         .num_layers = 2,
                                         .width = 16,
                                         .num_heads = 2,
                                         .mlp_width = 24,
                                         .cross_attention_every = 1};
constexpr models::PublishedPart kMlpPart{"vision_mlp", models::PartKind::mlp, {}};

void fill(models::Connector& connector) {
  nn::ParameterList parameters;
  for (const models::PublishedPart& part : models::published_parts())
    if (part.place() == models::ModulePlace::audio_branch) connector.declare(parameters, part);
  nn::initialize(parameters, 3);
}

models::AudioConfig whisper_branch(double window_seconds) {
  models::AudioConfig config;
  config.encoder = encoders::WhisperConfig{.num_mel_bins = 16,
                                           .width = 24,
                                           .num_blocks = 1,
                                           .num_heads = 3,
                                           .mlp_width = 32,
                                           .max_positions = 50};
  config.q_former = kQFormer;
  config.window_seconds = window_seconds;
  config.max_positions = 6;
  return config;
}

models::Branch filled(const models::AudioConfig& config) {
  models::Branch branch = models::make_branch(config, 20);
  nn::ParameterList parameters;
  branch.declare_encoders(parameters);
  branch.declare_trainable(parameters);
  nn::initialize(parameters, 5);
  return branch;
}

}  // namespace

TEST_CASE("a medium's units end where its padding begins") {
  CHECK(MediumShape{2, 5, 10}.units() == Lengths{5, 5});
  CHECK(MediumShape{2, 5, 7}.units() == Lengths{5, 2});
  CHECK(MediumShape{2, 5, 5}.units() == Lengths{5});
  CHECK(MediumShape{3, 5, 4}.units() == Lengths{4});
}

TEST_CASE("windows of a Q-Former: each is read alone, and the last one may be shorter") {
  models::QFormerConnector windowed(kQFormer, 6, /*states_per_window=*/4);
  models::QFormerConnector whole(kQFormer, 6);
  fill(windowed);
  fill(whole);
  const MediumShape ten{1, 12, 10}, three{1, 12, 3};
  CHECK(windowed.windows(ten) == Lengths{4, 4, 2});
  CHECK(windowed.places(ten) == Lengths{4, 4, 2});
  CHECK(windowed.num_tokens(ten) == 6);
  CHECK(windowed.num_tokens(three) == 2);
  CHECK(whole.num_tokens(ten) == 2);
  CHECK(whole.windows(ten) == Lengths{10});

  const at::Tensor states = test::random_tensor({13, 6}, 1);
  const std::vector<MediumShape> media{ten, three};
  const at::Tensor together = windowed(states, media).detach();
  std::vector<at::Tensor> alone;
  for (const auto& [first, length] :
       std::vector<std::pair<int, int>>{{0, 4}, {4, 4}, {8, 2}, {10, 3}}) {
    const std::vector<MediumShape> one{{1, length, length}};
    alone.push_back(whole(states.narrow(0, first, length), one).detach());
  }
  CHECK(test::relative_difference(together, at::cat(alone)) < 1e-5);
  CHECK(windowed.flops(ten) == 2 * windowed.flops({1, 4, 4}) + windowed.flops({1, 2, 2}));
}

TEST_CASE("a branch that hears whole sounds: what is behind the sound is not heard") {
  models::Branch branch = filled(whisper_branch(0.2));
  const at::Tensor mel = test::random_tensor({2, 16, 100}, 2);
  const models::Branch::Media media{{1, 17}, {1, 0}};
  const at::Tensor features = branch.encode(0, mel, media);
  CHECK(features.sizes() == at::IntArrayRef({83, 24}));
  const at::Tensor embedded = branch.embed(features, media).detach();
  CHECK(embedded.sizes() == at::IntArrayRef({2 * (4 + 5), 20}));
  const at::Tensor first =
      branch.embed(branch.encode(0, mel.narrow(0, 0, 1), {{1, 17}}), {{1, 17}});
  CHECK(test::relative_difference(first.detach(), embedded.narrow(0, 0, 8)) < 1e-5);
  // As a tokens' rule the samples see the same number.
  CHECK(branch.connector().num_tokens(models::shape_of({1, 17}, 50)) == 8);
}

TEST_CASE("a branch that hears whole sounds: a position for each window, as many as there are") {
  models::Branch branch = filled(whisper_branch(0.1));
  const at::Tensor features = test::random_tensor({50, 24}, 3);
  CHECK_THROWS_WITH(branch.embed(features, {{1, 0}}),
                    Catch::Contains("10 frames, sound clips or windows") &&
                        Catch::Contains("model.audio.max_positions = 6"));
  models::AudioConfig config = whisper_branch(0.1);
  config.positions = models::PositionKind::interpolated;
  CHECK(filled(config).embed(features, {{1, 0}}).size(0) == 20);
  config.positions = models::PositionKind::none;
  models::Branch none = filled(config);
  none.clear_unused_positions();
  // Windows with the same states are the same wherever they stand.
  const at::Tensor twice = at::cat({features.narrow(0, 0, 5), features.narrow(0, 0, 5)});
  const at::Tensor embedded = none.embed(twice, {{1, 40}}).detach();
  CHECK(test::relative_difference(embedded.narrow(0, 0, 2), embedded.narrow(0, 2, 2)) < 1e-6);
}

TEST_CASE("a branch that hears whole sounds: dropout of a window does not depend on the others") {
  models::Branch branch = filled(whisper_branch(0.2));
  const models::Branch::Media one{{1, 30}}, two{{1, 0}, {1, 30}};
  CHECK(branch.dropout_keys(one, {7}).size() == 2);
  CHECK(branch.dropout_keys(two, {9, 7}).size() == 7);
  CHECK(branch.dropout_keys(two, {9, 7})[5] == 7);
  const at::Tensor states = test::random_tensor({20, 24}, 4);
  const auto embedded = [&](const at::Tensor& features, const models::Branch::Media& media,
                            const std::vector<std::uint64_t>& keys) {
    return branch
        .embed(features, media, nn::Dropout(0.3, branch.dropout_keys(media, keys), at::kCPU))
        .detach();
  };
  const at::Tensor alone = embedded(states, one, {7});
  const at::Tensor together =
      embedded(at::cat({test::random_tensor({50, 24}, 5), states}), two, {9, 7});
  CHECK(test::relative_difference(together.narrow(0, 10, 4), alone) < 1e-5);
  CHECK_FALSE(test::same_bits(embedded(states, one, {8}), alone));
}

TEST_CASE("windows must be whole numbers of what Whisper hears in a second") {
  CHECK_THROWS_WITH(models::make_branch(whisper_branch(0.13), 20),
                    Catch::Contains("model.audio.window_seconds is 0.13") &&
                        Catch::Contains("multiple of 0.02 s"));
  CHECK_NOTHROW(models::make_branch(whisper_branch(0.14), 20));
}

TEST_CASE("MLP: patches side by side become one, row by row, and odd edges repeat") {
  models::MlpConnector connector({.merge = 2}, /*states_per_unit=*/9, /*states_width=*/3,
                                 /*width=*/5);
  nn::ParameterList parameters;
  connector.declare(parameters, kMlpPart);
  nn::initialize(parameters, 1);
  const MediumShape picture{1, 9, 9};
  CHECK(connector.num_tokens(picture) == 4);
  const at::Tensor states = test::random_tensor({9, 3}, 6);
  const std::vector<MediumShape> media{picture};
  const at::Tensor found = connector(states, media).detach();
  const auto square = [&](std::vector<std::int64_t> rows) {
    std::vector<at::Tensor> parts;
    for (const std::int64_t row : rows) parts.push_back(states[row]);
    return at::cat(parts);
  };
  const at::Tensor squares = at::stack(
      {square({0, 1, 3, 4}), square({2, 2, 5, 5}), square({6, 7, 6, 7}), square({8, 8, 8, 8})});
  const at::Tensor expected =
      at::gelu(at::linear(squares, *parameters[0].tensor, *parameters[1].tensor));
  CHECK(test::relative_difference(found, expected.detach()) < 1e-6);
}

TEST_CASE("MLP: frames of a clip are pooled, a picture alone is not") {
  models::MlpConnector connector({.clip_pooling = 2}, 9, 3, 5);
  nn::ParameterList parameters;
  connector.declare(parameters, kMlpPart);
  nn::initialize(parameters, 1);
  const MediumShape picture{1, 9, 9}, clip{2, 9, 18};
  CHECK(connector.num_tokens(picture) == 9);
  CHECK(connector.num_tokens(clip) == 8);
  const at::Tensor states = test::random_tensor({27, 3}, 6);
  const std::vector<MediumShape> media{picture, clip};
  const at::Tensor found = connector(states, media).detach();
  CHECK(found.sizes() == at::IntArrayRef({17, 5}));
  const at::Tensor frame = states.narrow(0, 9, 9);
  const at::Tensor corner = (frame[0] + frame[1] + frame[3] + frame[4]) / 4;
  const at::Tensor edge = (frame[2] + frame[5]) / 2;
  const at::Tensor expected =
      at::gelu(at::linear(at::stack({corner, edge}), *parameters[0].tensor, *parameters[1].tensor));
  CHECK(test::relative_difference(found.narrow(0, 9, 2), expected.detach()) < 1e-6);
}

TEST_CASE("MLP: an encoder whose vectors are no square of patches is refused") {
  models::VisionConfig config;
  config.connector = models::ConnectorKind::mlp;
  CHECK_THROWS_WITH(
      models::make_branch(config, 20),
      Catch::Contains("model.vision.connector: mlp") && Catch::Contains("32 vectors"));
}

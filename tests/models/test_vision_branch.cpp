#include <ATen/CPUGeneratorImpl.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/ones.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "models/branch.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using test::kOutputTolerance;

namespace {

struct TinyVision {
  explicit TinyVision(const std::filesystem::path& encoder_file)
      : model(models::make_branch(test::tiny_vision(56), 64)) {
    nn::ParameterList encoder, q_former;
    model.declare_encoders(encoder);
    model.declare_resampler(q_former);
    model.declare_trainable(trainable);
    const test::GoldenTensors golden(test::golden_file("components/video_branch.safetensors"));
    test::GoldenTensors(encoder_file).fill(encoder, "");
    golden.fill(q_former, "state.");
    golden.fill(trainable, "state.");
    for (const auto* frozen : {&encoder, &q_former})
      for (const nn::Parameter& parameter : *frozen) parameter.tensor->requires_grad_(false);
  }
  models::Branch model;
  nn::ParameterList trainable;
};

// [B, C, T, H, W] -> [B * T, C, H, W]
at::Tensor frames_end_to_end(const at::Tensor& clips) {
  return clips.transpose(1, 2).flatten(0, 1);
}

}  // namespace

TEST_CASE(
    "vision branch: frame features, media embeddings and all gradients, for clips and images") {
  VLLAMA_SHARED_FILE(encoder_file, "goldens/ckpt/eva_vit_g_56.pth");
  const test::GoldenTensors golden(test::golden_file("components/video_branch.safetensors"));
  const auto [kind, num_frames] =
      GENERATE(std::make_pair(std::string("T8."), 8), std::make_pair(std::string("T1."), 1));
  TinyVision branch(encoder_file);
  const at::Tensor features =
      branch.model.encode_prepared(0, frames_end_to_end(golden[kind + "input"]));
  CHECK_FALSE(features.requires_grad());
  CHECK(test::relative_difference(features.view({2 * num_frames, 6, 32}),
                                  golden[kind + "qformer_last_hidden_state"]) < kOutputTolerance);
  const at::Tensor media = branch.model.embed(features, {num_frames, num_frames});
  CHECK(test::relative_difference(media.detach().view({2, 5, 64}), golden[kind + "inputs_llama"]) <
        kOutputTolerance);
  (media.view({2, 5, 64}) * golden[kind + "loss_weight"]).sum().backward();
  CHECK(golden.check_gradients(branch.trainable, kind + "grad.") == 58);
}

TEST_CASE("vision branch: the original's dropout, given its random numbers") {
  VLLAMA_SHARED_FILE(encoder_file, "goldens/ckpt/eva_vit_g_56.pth");
  const test::GoldenTensors clips(test::golden_file("components/video_branch.safetensors"));
  const test::GoldenTensors golden(
      test::golden_file("components/video_branch_dropout.safetensors"));
  const auto generator_masks = [] {
    const auto generator = at::detail::createCPUGenerator(123);
    return [generator](std::int64_t, std::int64_t, std::int64_t samples, std::int64_t elements) {
      return at::empty({samples, elements}, at::kFloat).bernoulli_(0.9, generator);
    };
  };
  const at::Tensor probe = nn::Dropout(0.1, generator_masks())(at::ones({5, 7}), 0, 1);
  REQUIRE(test::relative_difference(probe, golden["probe_mask"]) < 1e-6);

  TinyVision branch(encoder_file);
  const at::Tensor features = branch.model.encode_prepared(0, frames_end_to_end(clips["T8.input"]));
  const at::Tensor media =
      branch.model.embed(features, {8, 8}, nn::Dropout(0.1, generator_masks()));
  CHECK(test::relative_difference(media.detach().view({2, 5, 64}), golden["inputs_llama"]) <
        kOutputTolerance);
  (media.view({2, 5, 64}) * clips["T8.loss_weight"]).sum().backward();
  CHECK(golden.check_gradients(branch.trainable, "grad.") == 2);
}

TEST_CASE("vision branch: clips of different lengths share a batch") {
  VLLAMA_SHARED_FILE(encoder_file, "goldens/ckpt/eva_vit_g_56.pth");
  TinyVision branch(encoder_file);
  const at::Tensor features = test::random_tensor({13 * 6, 32}, 4);
  const at::Tensor together = branch.model.embed(features, {1, 4, 8});
  const at::Tensor second = branch.model.embed(features.narrow(0, 6, 24), {4});
  CHECK(test::relative_difference(together.narrow(0, 5, 5).detach(), second.detach()) < 1e-5);
  CHECK_THROWS_AS(branch.model.embed(test::random_tensor({12 * 6, 32}, 4), {12}), UserError);
}

#include <ATen/TensorOperators.h>

#include <catch2/catch.hpp>

#include "encoders/eva_vit.h"
#include "models/branch.h"
#include "models/q_former.h"
#include "tests/models/padded_batch.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using test::packed;

namespace {

constexpr encoders::EvaVitConfig kVit{.image_size = 28,
                                      .patch_size = 7,
                                      .width = 32,
                                      .num_blocks = 3,
                                      .num_heads = 4,
                                      .mlp_width = 48};
constexpr models::QFormerConfig kQFormer{.num_queries = 5,
                                         .num_layers = 4,
                                         .width = 24,
                                         .num_heads = 3,
                                         .mlp_width = 48,
                                         .cross_attention_every = 2};
constexpr std::int64_t kEncoderWidth = 36;

void convert(const nn::ParameterList& parameters, at::ScalarType dtype) {
  for (const nn::Parameter& parameter : parameters)
    *parameter.tensor = parameter.tensor->detach().to(dtype);
}

struct RecordedVit {
  RecordedVit() : golden(test::golden_file("reference/blip2_vision.safetensors")), model(kVit) {
    model.declare(parameters);
    golden.fill(parameters, "state.");
  }
  test::GoldenTensors golden;
  encoders::EvaVit model;
  nn::ParameterList parameters;
};

struct RecordedQFormer {
  RecordedQFormer()
      : golden(test::golden_file("reference/blip2_q_former.safetensors")),
        model(kQFormer, kEncoderWidth) {
    model.declare(parameters, {"query_tokens", models::PartKind::queries, {}});
    model.declare(parameters, {"Qformer", models::PartKind::layers, {}});
    golden.fill(parameters, "state.");
  }
  test::GoldenTensors golden;
  models::QFormer model;
  nn::ParameterList parameters;
};

}  // namespace

TEST_CASE("pixels are normalised as by the image processor of transformers") {
  const test::GoldenTensors golden(test::golden_file("reference/blip2_vision.safetensors"));
  CHECK(test::relative_difference(test::normalized(golden["frames"]), golden["images"]) <
        test::kOutputTolerance);
}

TEST_CASE("EVA ViT: tokens before the last block, and gradients, as in transformers") {
  RecordedVit vit;
  const at::Tensor tokens = vit.model(vit.golden["images"]);
  CHECK(test::relative_difference(tokens.detach(), vit.golden["tokens"]) < test::kOutputTolerance);
  (tokens * vit.golden["loss_weight"]).sum().backward();
  CHECK(vit.golden.check_gradients(vit.parameters, "grad.") == 4 + 3 * 13);
}

TEST_CASE("EVA ViT: bf16 stays as close to fp32 as its rounding allows") {
  // A block rounds 13 weights and biases and 12 activations: two norms, q, k, v, context,
  // projection, fc1, its activation, fc2, and two sums. Before it: images, patch projection (2),
  // class token, positions, patches and their sum.
  constexpr std::int64_t kRoundingsPerBlock = 13 + 12, kRoundingsBefore = 7;
  RecordedVit vit;
  convert(vit.parameters, at::kBFloat16);
  const at::Tensor tokens = vit.model(vit.golden["images"].to(at::kBFloat16));
  const double difference = test::relative_rms_difference(tokens, vit.golden["tokens"]);
  CHECK(difference < test::bf16_tolerance(kVit.num_blocks * kRoundingsPerBlock + kRoundingsBefore));
  CHECK(difference > 0x1p-10);  // it did compute in bf16
}

TEST_CASE("Q-Former: output and gradients as in transformers, with states of different length") {
  RecordedQFormer q_former;
  const auto& golden = q_former.golden;
  const at::Tensor mask = golden["mask"];
  const at::Tensor padded = golden["states"].requires_grad_(true);
  const at::Tensor output =
      q_former.model(packed(padded, mask), test::sequences_of(mask)).view({3, 5, 24});
  CHECK(test::relative_difference(output.detach(), golden["output"]) < test::kOutputTolerance);
  (output * golden["loss_weight"]).sum().backward();
  CHECK(golden.check_gradients(q_former.parameters, "grad.") == 1 + 2 + 4 * 16 + 2 * 10);
  CHECK(test::relative_difference(packed(padded.grad(), mask),
                                  packed(golden["grad_states"], mask)) < test::kGradientTolerance);
}

TEST_CASE("Q-Former: bf16 stays as close to fp32 as its rounding allows") {
  // An attention rounds 10 weights and 7 activations (q, k, v, context, output, sum, norm); the
  // feed-forward part 6 and 5. Before them: states, queries, and the norm with its weights.
  constexpr std::int64_t kRoundings = (4 + 2) * (10 + 7) + 4 * (6 + 5) + 5;
  RecordedQFormer q_former;
  convert(q_former.parameters, at::kBFloat16);
  const at::Tensor mask = q_former.golden["mask"];
  const at::Tensor output = q_former.model(
      packed(q_former.golden["states"], mask).to(at::kBFloat16), test::sequences_of(mask));
  const double difference =
      test::relative_rms_difference(output, q_former.golden["output"].flatten(0, 1));
  CHECK(difference < test::bf16_tolerance(kRoundings));
  CHECK(difference > 0x1p-10);  // it did compute in bf16
}

#include <ATen/TensorOperators.h>

#include <catch2/catch.hpp>

#include "models/q_former.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;

TEST_CASE("image Q-Former: output and all gradients") {
  const test::GoldenTensors golden(test::golden_file("components/qformer.safetensors"));
  models::QFormer q_former(test::tiny_vision(56).resampler, 48);
  nn::ParameterList list;
  q_former.declare(list, {"query_tokens", models::PartKind::queries, {}});
  q_former.declare(list, {"Qformer", models::PartKind::layers, {}});
  golden.fill(list, "state.");
  const at::Tensor states = golden["image_embeds"].requires_grad_(true);
  const at::Tensor output =
      q_former(states.flatten(0, 1), nn::Segments::equal(3, 17)).view({3, 6, 32});
  CHECK(test::relative_difference(output.detach(), golden["last_hidden_state"]) <
        test::kOutputTolerance);
  (output * golden["loss_weight"]).sum().backward();
  CHECK(golden.check_gradients(list, "grad.") == 87);
  CHECK(test::relative_difference(states.grad(), golden["grad_image_embeds"]) <
        test::kGradientTolerance);
}

TEST_CASE("samples with different numbers of encoder rows do not see each other") {
  models::QFormer q_former(test::tiny_vision(56).q_former, 32);
  nn::ParameterList list;
  q_former.declare(list, {"q", models::PartKind::queries, {}});
  q_former.declare(list, {"x", models::PartKind::layers, {}});
  nn::initialize(list, 5);
  const at::Tensor states = test::random_tensor({11, 32}, 1);
  const at::Tensor together = q_former(states, nn::Segments({3, 8}));
  CHECK(test::relative_difference(together.narrow(0, 5, 5),
                                  q_former(states.narrow(0, 3, 8), nn::Segments({8}))) < 1e-5);
}

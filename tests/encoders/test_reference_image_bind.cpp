#include <ATen/TensorOperators.h>

#include <catch2/catch.hpp>

#include "models/branch.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;

TEST_CASE(
    "ImageBind: embeddings as from torch.nn's Conv3d and MultiheadAttention with extra keys") {
  const test::GoldenTensors golden(test::golden_file("reference/image_bind.safetensors"));
  encoders::ImageBindVision vision({.image_size = 42,
                                    .patch_size = 7,
                                    .width = 16,
                                    .num_blocks = 2,
                                    .num_heads = 2,
                                    .mlp_width = 40},
                                   10);
  encoders::ImageBindAudio audio({.kernel_size = 16,
                                  .stride = 12,
                                  .width = 12,
                                  .num_blocks = 2,
                                  .num_heads = 3,
                                  .mlp_width = 32},
                                 10);
  nn::ParameterList parameters;
  vision.declare(parameters);
  audio.declare(parameters);
  golden.fill(parameters, "state.");
  CHECK(test::relative_difference(vision(golden["images"]).detach(), golden["image_embeddings"]) <
        test::kOutputTolerance);
  CHECK(test::relative_difference(audio(golden["mel"]).detach(), golden["sound_embeddings"]) <
        test::kOutputTolerance);
}

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/ones.h>

#include <catch2/catch.hpp>

#include "tests/toy_world/senses/sizes.h"
#include "toy_world/senses/encoder_start.h"
#include "toy_world/senses/image_bind.h"

using namespace vllama;

TEST_CASE("ImageBind's image encoder begins with the patches and blocks of the EVA ViT") {
  const auto sizes = test::tiny_toy_sizes();
  encoders::EvaVit encoder(sizes.vision.encoder.as<encoders::EvaVitConfig>());
  toy::ImageBind image_bind(*sizes.audio);
  nn::ParameterList of_encoder;
  nn::ParameterList trunks = image_bind.parameters();
  encoder.declare(of_encoder);
  nn::initialize(of_encoder, 1);
  for (const nn::Parameter& parameter : of_encoder)
    if (parameter.name == "patch_embed.proj.bias") parameter.tensor->fill_(0.5);
  nn::initialize(trunks, 2);
  toy::start_from(encoder, trunks);

  const at::Tensor images = at::ones({1, 3, 56, 56}, at::kFloat);
  at::Tensor positions;
  for (const nn::Parameter& parameter : of_encoder)
    if (parameter.name == "pos_embed") positions = *parameter.tensor;
  const at::Tensor expected =
      encoder.embed_patches(images) + positions.narrow(1, 1, positions.size(1) - 1);
  const at::Tensor actual = image_bind.pictures.trunk().embed_patches(images);
  CHECK(at::allclose(actual.narrow(1, 1, expected.size(1)), expected, 1e-4, 1e-5));
}

#include <ATen/TensorOperators.h>

#include <catch2/catch.hpp>

#include "encoders/eva_vit.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;
using test::kOutputTolerance;

namespace {

void fill_from_file(encoders::EvaVit& vit, const std::filesystem::path& file) {
  nn::ParameterList list;
  vit.declare(list);
  test::GoldenTensors(file).fill(list, "");
}

}  // namespace

TEST_CASE("EVA ViT: patches, every block, output and final normalisation") {
  const test::GoldenTensors golden(test::golden_file("components/eva_vit_56.safetensors"));
  encoders::EvaVit vit(test::tiny_encoder(56));
  nn::ParameterList list;
  vit.declare(list, "visual_encoder.");
  nn::LayerNorm norm(48, 1e-5);
  norm.declare(list, "ln_vision");
  golden.fill(list, "state.");

  const at::Tensor images = golden["input"];
  CHECK(test::relative_difference(vit.embed_patches(images), golden["patch_embed_output"]) <
        kOutputTolerance);
  const at::Tensor output = vit(images);
  CHECK(test::relative_difference(output, golden["output"]) < kOutputTolerance);
  CHECK(test::relative_difference(norm(output), golden["ln_vision_output"]) < kOutputTolerance);
  for (std::size_t i = 1; i < vit.blocks().size(); ++i) {
    const at::Tensor before = golden["block_output." + std::to_string(i - 1)];
    const auto rows = nn::Segments::equal(3, 17);
    const at::Tensor after = vit.blocks()[i](before.flatten(0, 1), rows).view_as(before);
    CHECK(test::relative_difference(after, golden["block_output." + std::to_string(i)]) <
          kOutputTolerance);
  }
}

TEST_CASE("EVA ViT: gradients") {
  const test::GoldenTensors state(test::golden_file("components/eva_vit_56.safetensors"));
  const test::GoldenTensors golden(test::golden_file("components/eva_vit_56_grad.safetensors"));
  encoders::EvaVit vit(test::tiny_encoder(56));
  nn::ParameterList list;
  vit.declare(list, "visual_encoder.");
  state.fill(list, "state.");
  const at::Tensor loss = (vit(state["input"]) * golden["loss_weight"]).sum();
  CHECK(test::relative_difference(loss.detach(), golden["loss"]) < kOutputTolerance);
  loss.backward();
  CHECK(golden.check_gradients(list, "grad.") == 30);
}

TEST_CASE("EVA ViT: at 224 pixels, from the published file layout") {
  VLLAMA_SHARED_FILE(file, "goldens/ckpt/eva_vit_g.pth");
  VLLAMA_SHARED_FILE(expected, "goldens/components/eva_vit_224.safetensors");
  const test::GoldenTensors golden(expected);
  encoders::EvaVit vit(test::tiny_encoder(224));
  fill_from_file(vit, file);
  const at::Tensor images = test::normalized(golden["input_u8"]);
  CHECK(test::relative_difference(vit(images).detach(), golden["output"]) < kOutputTolerance);
}

TEST_CASE("EVA ViT: positions resized to another image size") {
  VLLAMA_SHARED_FILE(file, "goldens/ckpt/eva_vit_g_56.pth");
  const test::GoldenTensors golden(
      test::golden_file("components/eva_pos_embed_interpolation.safetensors"));
  const at::Tensor resized = encoders::resize_positions(golden["file_pos_embed"], 17);
  CHECK(test::relative_difference(resized, golden["resized_pos_embed"]) < kOutputTolerance);
  encoders::EvaVit vit(test::tiny_encoder(56));
  fill_from_file(vit, file);
  nn::ParameterList list;
  vit.declare(list);
  for (const nn::Parameter& parameter : list)
    if (parameter.name == "pos_embed") *parameter.tensor = resized;
  CHECK(test::relative_difference(vit(golden["input"]).detach(), golden["output"]) <
        kOutputTolerance);
}

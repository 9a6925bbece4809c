#include <catch2/catch.hpp>

#include "checkpoint/tensor_source.h"
#include "core/files.h"
#include "models/load_image_bind.h"
#include "models/random_weights.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

models::WeightSizes tiny_sizes() {
  return {.vision = test::tiny_vision(56),
          .language = {.width = 64, .mlp_width = 172, .num_layers = 2, .num_heads = 4}};
}

}  // namespace

TEST_CASE("random weights: audio sizes add ImageBind's file and change no other") {
  const test::TemporaryFolder folder;
  auto sizes = tiny_sizes();
  models::write_random_weights(sizes, 100, 1, folder.path() / "without");
  CHECK_FALSE(std::filesystem::exists(folder.path() / "without/imagebind_huge.pth"));
  sizes.audio = test::tiny_audio();
  models::write_random_weights(sizes, 100, 1, folder.path() / "with");
  for (const char* name : {"eva_vit_g.pth", "blip2_qformer.pth", "llama/model.safetensors"})
    CHECK(read_file(folder.path() / "without" / name) == read_file(folder.path() / "with" / name));
}

TEST_CASE("random weights: ImageBind's file is laid out as the published one, and loads") {
  VLLAMA_SHARED_FILE(published, "goldens/ckpt/imagebind/imagebind_huge.pth");
  const test::TemporaryFolder folder;
  auto sizes = tiny_sizes();
  sizes.audio = test::tiny_audio();
  models::write_random_weights(sizes, 100, 1, folder.path());
  const auto expected = checkpoint::open_weights(published);
  const auto actual = checkpoint::open_weights(folder.path() / "imagebind_huge.pth");
  std::size_t num_found = 0;
  for (const auto& theirs : expected->tensors())
    for (const auto& ours : actual->tensors())
      if (ours.name == theirs.name) {
        ++num_found;
        CHECK(ours.shape == theirs.shape);
        CHECK(ours.dtype == theirs.dtype);
        if (ours.name.ends_with("log_logit_scale"))
          CHECK(test::relative_difference(actual->read(ours.name), expected->read(ours.name)) <
                1e-6);
      }
  CHECK(num_found == actual->tensors().size());

  models::AudioBranch branch(test::tiny_audio(), 64);
  CHECK_NOTHROW(
      models::load_image_bind(branch, folder.path() / "imagebind_huge.pth", at::kFloat, at::kCPU));
}

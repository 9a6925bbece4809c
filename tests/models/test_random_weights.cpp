#include <catch2/catch.hpp>

#include "core/files.h"
#include "models/encoder_reading.h"
#include "models/random_weights.h"
#include "tests/models/sizes.h"
#include "tests/support/counted_memory.h"
#include "tests/support/fixtures.h"
#include "tests/support/tensors.h"
#include "weights/tensor_source.h"

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
  const auto expected = weights::open_weights(published);
  const auto actual = weights::open_weights(folder.path() / "imagebind_huge.pth");
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

  models::Branch branch = models::make_branch(test::tiny_audio(), 64);
  CHECK_NOTHROW(models::load(models::encoder_reading(branch, folder.path() / "imagebind_huge.pth",
                                                     {.dtype = at::kFloat})));
}

TEST_CASE("random weights: memory is that of the largest tensor, however many there are") {
  auto sizes = tiny_sizes();
  sizes.language = {.width = 256, .mlp_width = 700, .num_layers = 24, .num_heads = 4};
  sizes.audio = test::tiny_audio();
  constexpr std::int64_t kNumPieces = 3000;
  const test::TemporaryFolder folder;
  const test::CountedMemory memory;
  models::write_random_weights(sizes, kNumPieces, 1, folder.path());
  const auto file_bytes = static_cast<std::int64_t>(
      std::filesystem::file_size(folder.path() / "llama/model.safetensors"));
  // In fp32 and in the file's type, together with a few numbers.
  const std::int64_t largest_bytes = kNumPieces * 256 * (4 + 2);
  constexpr std::int64_t kFewBytes = 64 << 10;
  CAPTURE(file_bytes, largest_bytes, memory.peak_bytes());
  CHECK(file_bytes > 8 * largest_bytes);
  CHECK(memory.peak_bytes() <= largest_bytes + kFewBytes);
  CHECK(memory.num_bytes() <= kFewBytes);
}

TEST_CASE("random weights: the type that is asked for, in every file") {
  auto sizes = tiny_sizes();
  sizes.audio = test::tiny_audio();
  const auto type = GENERATE(at::kHalf, at::kBFloat16, at::kFloat);
  const test::TemporaryFolder folder;
  models::write_random_weights(sizes, 100, 1, folder.path() / "a", type);
  models::write_random_weights(sizes, 100, 1, folder.path() / "published");
  for (const char* name : {"eva_vit_g.pth", "blip2_qformer.pth", "imagebind_huge.pth", "llama"}) {
    const auto source = weights::open_weights(folder.path() / "a" / name);
    const auto published = weights::open_weights(folder.path() / "published" / name);
    REQUIRE(source->tensors().size() == published->tensors().size());
    for (const auto& facts : source->tensors()) {
      CAPTURE(name, facts.name);
      CHECK(facts.dtype == (facts.name.ends_with("log_logit_scale") ? at::kFloat : type));
      CHECK(test::relative_difference(source->read(facts.name).to(at::kFloat),
                                      published->read(facts.name).to(at::kFloat)) < 0x1p-7);
    }
  }
  const std::string config = read_file(folder.path() / "a/llama/config.json");
  const char* name = type == at::kHalf ? "float16" : type == at::kFloat ? "float32" : "bfloat16";
  CHECK(config.find(std::string("\"torch_dtype\": \"") + name + "\"") != std::string::npos);
}

// A language model of 1.1 GB: run by name, below a program that tells the peak of memory.
TEST_CASE("measured random weights", "[.]") {
  auto sizes = tiny_sizes();
  sizes.language = {.width = 2048, .mlp_width = 5504, .num_layers = 8, .num_heads = 16};
  const test::TemporaryFolder folder;
  models::write_random_weights(sizes, 32000, 1, folder.path());
  CHECK(std::filesystem::file_size(folder.path() / "llama/model.safetensors") > 1'000'000'000);
}

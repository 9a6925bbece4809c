// Low-rank adapters in encoders that stay frozen.
#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/matmul.h>

#include <catch2/catch.hpp>
#include <map>

#include "core/error.h"
#include "models/branch.h"
#include "models/flops.h"
#include "tests/support/small_tower.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Catch::Contains;

namespace {

constexpr std::int64_t kAdaptedLanguageWidth = 12;
constexpr double kScale = 6.0 / 3.0;  // alpha / rank
const encoders::EncoderLora kLora{.rank = 3, .alpha = 6};

template <class Sizes>
models::VisionConfig seeing() {
  models::VisionConfig config;
  config.encoder = test::small_tower<Sizes>({.image_size = 28, .patch_size = 14}, 16, 3, 24);
  config.frame_resampler = models::FrameResampler::none;
  config.q_former = {
      .num_queries = 2, .num_layers = 1, .width = 16, .num_heads = 2, .mlp_width = 24};
  config.encoder_lora = kLora;
  return config;
}

models::AudioConfig hearing() {
  models::AudioConfig config;
  config.encoder = encoders::WhisperConfig{.num_mel_bins = 16,
                                           .width = 16,
                                           .num_blocks = 3,
                                           .num_heads = 2,
                                           .mlp_width = 24,
                                           .max_positions = 10};
  config.q_former = seeing<encoders::ClipConfig>().q_former;
  config.encoder_lora = kLora;
  return config;
}

struct Kind {
  const char* name;
  models::Branch (*make)();
  const char* last_block;  // part of its parameters' names
  std::size_t matrices_of_block;
};

const Kind kKinds[] = {
    {"eva_vit_g",
     [] { return models::make_branch(seeing<encoders::EvaVitConfig>(), kAdaptedLanguageWidth); },
     "encoders.vision.blocks.2.", 4},
    {"siglip",
     [] { return models::make_branch(seeing<encoders::SiglipConfig>(), kAdaptedLanguageWidth); },
     "encoders.vision.vision_model.encoder.layers.2.", 6},
    {"clip",
     [] { return models::make_branch(seeing<encoders::ClipConfig>(), kAdaptedLanguageWidth); },
     "encoders.vision.vision_model.encoder.layers.2.", 6},
    {"whisper", [] { return models::make_branch(hearing(), kAdaptedLanguageWidth); },
     "encoders.audio.model.encoder.layers.2.", 6},
};

models::Branch filled(const Kind& kind) {
  models::Branch branch = kind.make();
  nn::ParameterList parameters;
  branch.declare_encoders(parameters);
  for (const auto& encoder : branch.encoders()) encoder->declare_output_norm(parameters);
  nn::initialize(parameters, 5);
  return branch;
}

at::Tensor units_of(const models::Branch& branch) {
  if (branch.names().place == models::ModulePlace::audio_branch)
    return test::random_tensor({2, 16, 20}, 3);
  return (test::random_tensor({2, 28, 28, 3}, 3) * 40 + 128).clamp(0, 255).to(at::kByte);
}

nn::ParameterList adapters_of(models::Branch& branch) {
  nn::ParameterList list;
  branch.declare_adapters(list);
  return list;
}

void give_adapters(models::Branch& branch, std::int64_t num_blocks) {
  branch.set_trained_blocks(num_blocks);
  branch.add_adapters();
  nn::initialize(adapters_of(branch), 9);
}

// Of a sum that weighs every feature differently.
std::map<std::string, at::Tensor> gradients(const models::Branch& branch,
                                            const nn::ParameterList& parameters) {
  const at::AutoGradMode with_graph(true);
  for (const nn::Parameter& parameter : parameters) parameter.tensor->requires_grad_(true);
  const at::Tensor features = branch.encode(0, units_of(branch));
  (features * test::random_tensor(features.sizes().vec(), 4)).sum().backward();
  std::map<std::string, at::Tensor> found;
  for (const nn::Parameter& parameter : parameters)
    found[parameter.name] = parameter.tensor->grad();
  return found;
}

double forward_and_backward(const models::Branch& branch) {
  return models::step_flops(branch, {},
                            {.media = {{2}}, .sequence_lengths = {}, .num_logit_tokens = 0})
      .encoders.at(0);
}

}  // namespace

TEST_CASE("an adapter changes nothing at first, and learns what its matrix would") {
  const Kind& kind = kKinds[GENERATE(range(0, 4))];
  CAPTURE(kind.name);
  models::Branch whole = filled(kind);
  whole.set_trained_blocks(3);
  nn::ParameterList of_encoder;
  whole.declare_encoder_module(of_encoder);
  const auto expected = gradients(whole, of_encoder);

  models::Branch adapted = filled(kind);
  const at::Tensor before = adapted.encode(0, units_of(adapted));
  give_adapters(adapted, 3);
  const nn::ParameterList adapters = adapters_of(adapted);
  REQUIRE(adapters.size() == 2 * 3 * kind.matrices_of_block);
  CHECK(test::same_bits(adapted.encode(0, units_of(adapted)).detach(), before));
  const auto found = gradients(adapted, adapters);
  // d(W + s B A) = s dB A where B is zero: the gradient of B is s dW A^T, and that of A is zero.
  for (const nn::Parameter& parameter : adapters) {
    INFO(parameter.name);
    const std::string matrix = parameter.name.substr(0, parameter.name.find(".lora_"));
    const bool is_down = parameter.name.ends_with(".lora_A.weight");
    if (is_down) {
      CHECK(found.at(parameter.name).abs().max().item<double>() == 0);
      continue;
    }
    const auto down = std::ranges::find(adapters, matrix + ".lora_A.weight", &nn::Parameter::name);
    REQUIRE(down != adapters.end());
    const at::Tensor wanted =
        at::matmul(expected.at(matrix + ".weight"), down->tensor->detach().t()) * kScale;
    CHECK(test::absolute_difference(found.at(parameter.name), wanted) <=
          1e-4 * wanted.abs().max().item<double>() + 1e-6);
  }
}

TEST_CASE("adapters stand in the last blocks alone, and merge into their matrices") {
  const Kind& kind = kKinds[GENERATE(range(0, 4))];
  CAPTURE(kind.name);
  models::Branch branch = filled(kind);
  give_adapters(branch, 1);
  nn::ParameterList adapters = adapters_of(branch);
  CHECK(adapters.size() == 2 * kind.matrices_of_block);
  for (const nn::Parameter& parameter : adapters) {
    CHECK_THAT(parameter.name, Contains(kind.last_block));
    *parameter.tensor = test::random_tensor(parameter.shape, 6) * 0.1;
  }
  const at::Tensor adapted = branch.encode(0, units_of(branch));
  branch.merge_adapters();
  CHECK_FALSE(branch.has_adapters());
  CHECK(adapters_of(branch).empty());
  const at::Tensor merged = branch.encode(0, units_of(branch));
  CHECK(test::absolute_difference(merged, adapted) < 1e-4);
  CHECK(test::absolute_difference(filled(kind).encode(0, units_of(branch)), adapted) > 1e-2);
}

TEST_CASE("adapters: their matrices by name, and what is not there is refused") {
  models::VisionConfig config = seeing<encoders::SiglipConfig>();
  config.encoder_lora.targets = {"q_proj", "v_proj"};
  models::Branch branch = models::make_branch(config, kAdaptedLanguageWidth);
  branch.set_trained_blocks(2);
  branch.add_adapters();
  CHECK(adapters_of(branch).size() == 2 * 2 * 2);

  config.encoder_lora.targets = {"q_proj", "qkv"};
  models::Branch other = models::make_branch(config, kAdaptedLanguageWidth);
  CHECK_THROWS_WITH(other.add_adapters(),
                    Contains("model.vision.encoder_lora.targets: 'qkv'") &&
                        Contains("k_proj, v_proj, q_proj, out_proj, fc1, fc2"));
}

TEST_CASE("adapters cost one backward pass through their blocks, matrices that train two") {
  models::Branch branch =
      models::make_branch(seeing<encoders::SiglipConfig>(), kAdaptedLanguageWidth);
  const double forward = forward_and_backward(branch);
  branch.set_trained_blocks(3);
  CHECK(forward_and_backward(branch) == Approx(3 * forward));
  branch.add_adapters();
  CHECK(forward_and_backward(branch) == Approx(2 * forward));
}

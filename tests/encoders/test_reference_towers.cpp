// The image towers of SigLIP and CLIP against transformers.
#include <ATen/TensorOperators.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "encoders/encoder_choice.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;

namespace {

template <class Sizes>
Sizes golden_sizes(std::int64_t image_size = 38) {
  Sizes sizes;
  sizes.image_size = image_size;
  sizes.patch_size = 7;
  sizes.width = 24;
  sizes.num_blocks = 3;
  sizes.num_heads = 3;
  sizes.mlp_width = 40;
  return sizes;
}

// With the golden's weights; what is behind the layer that is read is not asked for.
struct Tower {
  Tower(const encoders::PictureEncoder& choice, const test::GoldenTensors& golden)
      : encoder(make_encoder(choice, {})) {
    encoder->declare(parameters);
    golden.fill(parameters, "state.");
  }
  at::Tensor operator()(const at::Tensor& frames_FHWC) const {
    return (*encoder)(encoder->prepared(frames_FHWC));
  }

  std::unique_ptr<encoders::Encoder> encoder;
  nn::ParameterList parameters;
};

template <class Sizes>
encoders::PictureEncoder at_layer(std::int64_t layer) {
  auto sizes = golden_sizes<Sizes>();
  sizes.layer = layer;
  return sizes;
}

void check_same(const at::Tensor& found_SD, const at::Tensor& expected_FPD) {
  CHECK(test::relative_difference(found_SD.detach(), expected_FPD.flatten(0, 1)) <
        test::kOutputTolerance);
}

}  // namespace

TEMPLATE_TEST_CASE("image towers: every layer, and all gradients, as transformers has them", "",
                   encoders::SiglipConfig, encoders::ClipConfig) {
  const std::string kind = TestType::kKind;
  const test::GoldenTensors golden(test::golden_file("reference/" + kind + ".safetensors"));
  const Tower whole(golden_sizes<TestType>(), golden);
  CHECK(whole.encoder->tokens_per_unit() == 25);
  const at::Tensor output_SD = whole(golden["images_u8"]);
  check_same(output_SD, golden["output"]);
  check_same(Tower(at_layer<TestType>(-1), golden)(golden["images_u8"]), golden["last_block"]);
  check_same(Tower(at_layer<TestType>(-2), golden)(golden["images_u8"]), golden["last_but_one"]);

  (output_SD * golden["loss_weight"].flatten(0, 1)).sum().backward();
  CHECK(golden.check_gradients(whole.parameters, "grad.") == std::ssize(whole.parameters));
}

TEMPLATE_TEST_CASE("image towers: positions for another resolution are interpolated", "",
                   encoders::SiglipConfig, encoders::ClipConfig) {
  const std::string kind = TestType::kKind;
  const auto file = test::golden_file("reference/" + kind + ".safetensors");
  const test::GoldenTensors golden(file);
  // The file is read as that of a smaller picture.
  const auto encoder = make_encoder(encoders::PictureEncoder(golden_sizes<TestType>(49)), {});
  nn::ParameterList parameters;
  encoder->declare(parameters);
  const auto source = weights::open_weights(file);
  struct Renamed final : weights::TensorSource {
    explicit Renamed(const weights::TensorSource& all) {
      for (auto facts : all.tensors())
        if (facts.name.starts_with("state.")) {
          facts.name = facts.name.substr(6);
          facts_.push_back(facts);
        }
    }
    const std::vector<weights::TensorFacts>& tensors() const override { return facts_; }
    at::Tensor read(const std::string&) const override { return {}; }
    std::int64_t copy_to(const std::string&, at::Tensor&) const override { return 0; }
    std::int64_t count_not_finite(const std::string&) const override { return 0; }
    void release(const std::string&) const override {}
    std::vector<weights::TensorFacts> facts_;
  };
  const Renamed state(*source);
  encoder->take_shapes(parameters, state);
  golden.fill(parameters, "state.");
  encoder->finish_reading(state);
  CHECK(encoder->tokens_per_unit() == 49);
  check_same((*encoder)(encoder->prepared(golden["larger_u8"])), golden["larger_output"]);
}

TEST_CASE("image towers: a layer that is not there, and heads that do not divide the width") {
  CHECK_THROWS_WITH(
      [] {
        nn::ParameterList list;
        make_encoder(at_layer<encoders::SiglipConfig>(-4), {})->declare(list);
      }(),
      Catch::Contains("model.vision.encoder.layer is -4") && Catch::Contains("num_blocks 3"));
  auto sizes = golden_sizes<encoders::ClipConfig>();
  sizes.num_heads = 5;
  nn::ParameterList list;
  CHECK_THROWS_WITH(make_encoder(encoders::PictureEncoder(sizes), {})->declare(list),
                    Catch::Contains("model.vision.encoder.width is 24"));
}

// Whisper's encoder against transformers: with random weights, and with those of tiny.en.
#include <ATen/TensorOperators.h>

#include <catch2/catch.hpp>

#include "encoders/encoder_choice.h"
#include "models/encoder_reading.h"
#include "models/file_sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"

using namespace vllama;

TEST_CASE("Whisper: the encoder's output and all gradients as transformers has them") {
  const test::GoldenTensors golden(test::golden_file("reference/whisper.safetensors"));
  const auto encoder =
      make_encoder(encoders::SoundEncoder(encoders::WhisperConfig{.num_mel_bins = 16,
                                                                  .width = 24,
                                                                  .num_blocks = 2,
                                                                  .num_heads = 3,
                                                                  .mlp_width = 32,
                                                                  .max_positions = 50}),
                   {});
  nn::ParameterList parameters;
  encoder->declare(parameters);
  golden.fill(parameters, "state.");
  const at::Tensor output_SD = (*encoder)(encoder->prepared(golden["mel"]));
  CHECK(test::relative_difference(output_SD.detach(), golden["output"].flatten(0, 1)) <
        test::kOutputTolerance);
  (output_SD * golden["loss_weight"].flatten(0, 1)).sum().backward();
  CHECK(golden.check_gradients(parameters, "grad.") == std::ssize(parameters));
}

TEST_CASE("Whisper: a real model's sizes, and what it makes of a real sound") {
  VLLAMA_SHARED_FILE(recorded, "real_models/goldens/whisper.safetensors");
  VLLAMA_REAL_MODEL(folder, "whisper-tiny.en");
  const test::GoldenTensors golden(recorded);
  models::ModelConfig config;
  config.branches = models::BranchSet::audio;
  config.audio.encoder = encoders::WhisperConfig{};
  config.audio.encoder.as<encoders::WhisperConfig>() = {};
  config.weights.audio_encoder = folder;
  const models::ModelConfig sized = models::sizes_of_files(config).config;
  const auto& sizes = sized.audio.encoder.as<encoders::WhisperConfig>();
  CHECK(sizes.num_mel_bins == 80);
  CHECK(sizes.width == 384);
  CHECK(sizes.num_blocks == 4);
  CHECK(sizes.num_heads == 6);
  const auto encoder = make_encoder(sized.audio.encoder, {});
  models::load(
      models::encoder_reading({encoder.get()}, "audio_encoder", folder, {.dtype = at::kFloat}));
  const at::Tensor output_SD = (*encoder)(golden["mel"].unsqueeze(0));
  const at::Tensor some_SD = output_SD.view({60, 25, -1}).select(1, 0);
  CHECK((some_SD - golden["encoded_every_25th_row"]).abs().max().item<float>() < 1e-3);
}

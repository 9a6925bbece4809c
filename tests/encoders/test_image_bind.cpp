#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros_like.h>

#include <catch2/catch.hpp>

#include "core/error.h"
#include "encoders/image_bind_encoders.h"
#include "models/branch.h"
#include "models/encoder_reading.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"
#include "weights/write.h"

using namespace vllama;
using Catch::Contains;
using test::kOutputTolerance;

namespace {

// An encoder with the weights of the recording that also holds its inputs and outputs.
template <class Encoder>
struct Recorded {
  template <class Config>
  Recorded(const std::string& name, const Config& config)
      : golden(test::golden_file("components/" + name + ".safetensors")), encoder(config, 24) {
    encoder.declare(parameters);
    golden.fill(parameters, "state.");
    for (const nn::Parameter& parameter : parameters) parameter.tensor->requires_grad_(false);
  }
  test::GoldenTensors golden;
  Encoder encoder;
  nn::ParameterList parameters;
};

struct RecordedVision : Recorded<encoders::ImageBindVision> {
  RecordedVision()
      : Recorded("imagebind_vision",
                 test::tiny_audio().twin.as<encoders::ImageBindVisionConfig>()) {}
  at::Tensor images() const { return test::normalized(golden["input_u8"].flatten(0, 1)); }
};

struct RecordedAudio : Recorded<encoders::ImageBindAudio> {
  RecordedAudio()
      : Recorded("imagebind_audio",
                 test::tiny_audio().encoder.as<encoders::ImageBindAudioConfig>()) {}
  at::Tensor mel() const { return golden["input"].flatten(0, 1); }
};

at::Tensor published_factor(const models::Branch& branch) {
  return dynamic_cast<const encoders::ImageBindSounds&>(*branch.encoders().at(1))
      .published_factor();
}

// The tensors of the recorded imagebind_huge.pth, to write an altered copy of it.
weights::NamedTensors published_tensors(const std::filesystem::path& file) {
  const auto source = weights::open_weights(file);
  weights::NamedTensors tensors;
  for (const auto& facts : source->tensors()) tensors[facts.name] = source->read(facts.name);
  return tensors;
}

}  // namespace

TEST_CASE("ImageBind vision: tokens, output of the blocks, unit vectors") {
  const RecordedVision recorded;
  const at::Tensor tokens = recorded.encoder.embed_patches(recorded.images());
  CHECK(test::relative_difference(tokens, recorded.golden["trunk_input_tokens"]) <
        kOutputTolerance);
  CHECK(test::relative_difference(recorded.encoder.transform(tokens),
                                  recorded.golden["trunk_output"]) < kOutputTolerance);
  CHECK(test::relative_difference(recorded.encoder(recorded.images()),
                                  recorded.golden["output"].flatten(0, 1)) < kOutputTolerance);
}

TEST_CASE("ImageBind audio: tokens, output of the blocks, unit vectors") {
  const RecordedAudio recorded;
  const at::Tensor tokens = recorded.encoder.embed_patches(recorded.mel());
  CHECK(test::relative_difference(tokens, recorded.golden["trunk_input_tokens"]) <
        kOutputTolerance);
  CHECK(test::relative_difference(recorded.encoder.transform(tokens),
                                  recorded.golden["trunk_output"]) < kOutputTolerance);
  const at::Tensor twenty_fold = recorded.golden["output"].flatten(0, 1);
  CHECK(test::relative_difference(recorded.encoder(recorded.mel()) * 20, twenty_fold) <
        kOutputTolerance);
}

TEST_CASE("ImageBind audio: the learned extra key and value matter") {
  const RecordedAudio recorded;
  const at::Tensor before = recorded.encoder(recorded.mel());
  const std::string name = GENERATE("bias_k", "bias_v");
  int num_changed = 0;
  for (const nn::Parameter& parameter : recorded.parameters)
    if (parameter.name.ends_with(name)) {
      *parameter.tensor = at::zeros_like(*parameter.tensor);
      ++num_changed;
    }
  CHECK(num_changed == 3);
  CHECK(test::relative_difference(recorded.encoder(recorded.mel()), before) >
        10 * kOutputTolerance);
}

TEST_CASE("ImageBind: an input's embedding depends on nothing else in its batch") {
  const RecordedAudio recorded;
  const at::Tensor together = recorded.encoder(recorded.mel());
  for (std::int64_t i = 0; i < 4; ++i)
    CHECK(test::relative_difference(recorded.encoder(recorded.mel().narrow(0, i, 1)),
                                    together.narrow(0, i, 1)) < kOutputTolerance);
}

TEST_CASE("ImageBind: embeddings in bf16 point where those in fp32 do") {
  // A block rounds 16 weights and biases (18 with the extra key and value) and 12 activations: two
  // norms, q, k, v, context, projection, fc1, its activation, fc2, and two sums; before the blocks
  // at most 9 roundings (input, patches, class token, positions, sum, norm and kernel), after
  // them 5.
  constexpr std::int64_t kRoundingsPerBlock = 18 + 12, kOtherRoundings = 14;
  const RecordedAudio recorded;
  const at::Tensor exact = recorded.encoder(recorded.mel());
  for (const nn::Parameter& parameter : recorded.parameters)
    *parameter.tensor = parameter.tensor->to(at::kBFloat16);
  const at::Tensor rounded = recorded.encoder(recorded.mel());
  CHECK(rounded.scalar_type() == at::kFloat);
  CHECK(test::relative_difference(rounded.norm(2, {1}), at::ones({4})) < 1e-6);
  const double difference = test::relative_rms_difference(rounded, exact);
  CHECK(difference < test::bf16_tolerance(3 * kRoundingsPerBlock + kOtherRoundings));
  CHECK(difference > 0x1p-10);  // it did compute in bf16
}

TEST_CASE("ImageBind: the published sizes have the published number of parameters") {
  models::Branch branch = models::make_branch(models::AudioConfig{}, 4096);
  nn::ParameterList trunks, trainable;
  branch.declare_encoders(trunks);
  branch.declare_trainable(trainable);
  constexpr std::int64_t kVision = 632'829'440, kAudio = 86'235'648, kFactor = 1;
  CHECK(nn::num_elements(trunks) == kVision + kAudio + kFactor);
  CHECK(nn::num_elements(trainable) == 22'855'680);
  CHECK(encoders::ImageBindAudioConfig{}.num_tokens() == 229);
  CHECK(encoders::ImageBindVisionConfig{}.num_tokens() == 257);
}

TEST_CASE("ImageBind: the published file is read whole, other modalities apart") {
  VLLAMA_SHARED_FILE(file, "goldens/ckpt/imagebind/imagebind_huge.pth");
  models::Branch branch = models::make_branch(test::tiny_audio(), 64);
  models::load(models::encoder_reading(branch, file, {.dtype = at::kFloat}));
  const RecordedVision vision;
  const RecordedAudio audio;
  CHECK(test::relative_difference(branch.encode_prepared(0, vision.images()),
                                  vision.golden["output"].flatten(0, 1)) < kOutputTolerance);
  CHECK(test::relative_difference(branch.encode_prepared(1, audio.mel()),
                                  audio.golden["output"].flatten(0, 1)) < kOutputTolerance);
}

TEST_CASE("ImageBind: weights are held as asked, the audio factor in fp32") {
  VLLAMA_SHARED_FILE(file, "goldens/ckpt/imagebind/imagebind_huge.pth");
  models::Branch branch = models::make_branch(test::tiny_audio(), 64);
  models::load(models::encoder_reading(branch, file, {.dtype = at::kBFloat16}));
  nn::ParameterList trunks;
  branch.declare_encoders(trunks);
  for (const nn::Parameter& parameter : trunks) {
    const bool is_factor = parameter.name == encoders::kLogAudioFactorName;
    CHECK(parameter.tensor->scalar_type() == (is_factor ? at::kFloat : at::kBFloat16));
    CHECK_FALSE(parameter.tensor->requires_grad());
  }
  CHECK(published_factor(branch).item<double>() == Approx(20).margin(1e-3));
}

TEST_CASE("ImageBind: the audio factor is the file's, at most 100") {
  VLLAMA_SHARED_FILE(file, "goldens/ckpt/imagebind/imagebind_huge.pth");
  const auto [log_factor, expected] = GENERATE(std::pair(0.0, 1.0), std::pair(5.0, 100.0));
  const test::TemporaryFolder folder;
  auto tensors = published_tensors(file);
  tensors[encoders::kLogAudioFactorName] = at::full({}, log_factor, at::kFloat);
  weights::write_pth(folder.path() / "other.pth", weights::to_map(tensors));
  models::Branch branch = models::make_branch(test::tiny_audio(), 64);
  models::load(models::encoder_reading(branch, folder.path() / "other.pth", {.dtype = at::kFloat}));
  CHECK(published_factor(branch).item<double>() == Approx(expected));
}

TEST_CASE("ImageBind: a file that does not fit is refused with every name") {
  VLLAMA_SHARED_FILE(file, "goldens/ckpt/imagebind/imagebind_huge.pth");
  const auto load = [&](const models::AudioConfig& config, const std::filesystem::path& path) {
    models::Branch branch = models::make_branch(config, 64);
    models::load(models::encoder_reading(branch, path, {.dtype = at::kFloat}));
  };
  models::AudioConfig config = test::tiny_audio();
  config.encoder.as<encoders::ImageBindAudioConfig>().num_blocks = 4;
  config.twin.as<encoders::ImageBindVisionConfig>().num_blocks = 1;
  config.embedding_width = 25;
  CHECK_THROWS_WITH(
      load(config, file),
      Contains("imagebind_huge.pth") && Contains("modality_trunks.audio.blocks.3.attn.bias_k") &&
          Contains("modality_trunks.vision.blocks.1.norm_1.weight") &&
          Contains("modality_heads.vision.2.weight") && !Contains("modality_heads.text"));

  const test::TemporaryFolder folder;
  auto tensors = published_tensors(file);
  tensors.erase(encoders::kLogAudioFactorName);
  tensors["modality_trunks.audio.surprise"] = at::ones({1});
  const auto altered = folder.path() / "altered.pth";
  weights::write_pth(altered, weights::to_map(tensors));
  CHECK_THROWS_AS(load(test::tiny_audio(), altered), UserError);
  CHECK_THROWS_WITH(
      load(test::tiny_audio(), altered),
      Contains(encoders::kLogAudioFactorName) && Contains("modality_trunks.audio.surprise"));
}

TEST_CASE("ImageBind: sizes that do not fit together are named") {
  const auto declare = [](const models::AudioConfig& config) {
    nn::ParameterList parameters;
    models::make_branch(config, 64).declare_encoders(parameters);
  };
  models::AudioConfig config = test::tiny_audio();
  config.twin.as<encoders::ImageBindVisionConfig>().image_size = 100;
  CHECK_THROWS_WITH(declare(config), Contains("audio.vision_encoder.image_size"));
  config = test::tiny_audio();
  config.twin.as<encoders::ImageBindVisionConfig>().num_heads = 3;
  CHECK_THROWS_WITH(declare(config), Contains("audio.vision_encoder.num_heads"));
  config = test::tiny_audio();
  config.encoder.as<encoders::ImageBindAudioConfig>().num_heads = 3;
  CHECK_THROWS_WITH(declare(config), Contains("audio.audio_encoder.num_heads"));
}

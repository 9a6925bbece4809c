// Encoders in Hugging Face's folders: what their JSON files say, and what contradicts it.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "models/file_sizes.h"
#include "models/load_video_llama.h"
#include "models/random_weights.h"
#include "tests/support/fixtures.h"
#include "tests/support/small_tower.h"
#include "tests/support/tensors.h"

using namespace vllama;
using Catch::Contains;
using Json = nlohmann::json;
namespace fs = std::filesystem;

namespace {

encoders::SiglipConfig small_siglip() {
  return test::small_tower<encoders::SiglipConfig>({.image_size = 30, .patch_size = 7}, 16, 2, 32);
}

constexpr encoders::WhisperConfig kWhisper{.num_mel_bins = 80,
                                           .width = 16,
                                           .num_blocks = 2,
                                           .num_heads = 2,
                                           .mlp_width = 32,
                                           .max_positions = 100};

// Both encoders as folders whose JSON files agree with them.
class Folders {
 public:
  Folders() {
    models::WeightSizes sizes;
    sizes.vision.encoder = small_siglip();
    sizes.language = {.width = 16, .mlp_width = 32, .num_layers = 1, .num_heads = 2};
    sizes.audio = models::AudioConfig{};
    sizes.audio->encoder = kWhisper;
    models::write_random_weights(sizes, 300, 1, folder_.path());
    place("vision_encoder.safetensors", siglip());
    place("audio_encoder.safetensors", whisper());
    write_json(
        siglip() / "config.json",
        {{"model_type", "siglip"},
         {"vision_config",
          {{"num_attention_heads", 2}, {"image_size", 30}, {"hidden_act", "gelu_pytorch_tanh"}}}});
    write_json(siglip() / "preprocessor_config.json", {{"size", {{"height", 30}, {"width", 30}}},
                                                       {"image_mean", {0.5, 0.5, 0.5}},
                                                       {"image_std", {0.5, 0.5, 0.5}}});
    write_json(whisper() / "config.json",
               {{"encoder_attention_heads", 2}, {"activation_function", "gelu"}});
    write_json(whisper() / "preprocessor_config.json",
               {{"feature_size", 80}, {"sampling_rate", 16000}});
  }

  fs::path siglip() const { return folder_.path() / "siglip"; }
  fs::path whisper() const { return folder_.path() / "whisper"; }

  static void write_json(const fs::path& file, const Json& content) {
    write_file_atomically(file, content.dump());
  }

  // Of kinds without any size given.
  models::ModelConfig config() const {
    models::ModelConfig config;
    config.branches = models::BranchSet::vision_and_audio;
    config.vision.encoder = encoders::SiglipConfig{};
    config.audio.encoder = encoders::WhisperConfig{};
    config.weights.vision_encoder = siglip();
    config.weights.audio_encoder = whisper();
    config.weights.language_model = folder_.path() / "llama";
    return config;
  }

  std::string contradiction(const std::string& key) const {
    const auto found = models::sizes_of_files(config()).contradictions;
    return found.contains(key) ? found.at(key) : std::string();
  }

 private:
  void place(const char* file, const fs::path& folder) const {
    fs::create_directories(folder);
    fs::rename(folder_.path() / file, folder / "model.safetensors");
  }

  test::TemporaryFolder folder_;
};

}  // namespace

TEST_CASE("encoder folders: all sizes come from the weights and the JSON files beside them") {
  const Folders folders;
  const auto sized = models::sizes_of_files(folders.config());
  CHECK(sized.contradictions.empty());
  const auto& siglip = sized.config.vision.encoder.as<encoders::SiglipConfig>();
  CHECK(siglip.image_size == 30);
  CHECK(siglip.num_patches() == 16);
  CHECK(siglip.num_heads == 2);
  CHECK(siglip.num_blocks == 2);
  const auto& whisper = sized.config.audio.encoder.as<encoders::WhisperConfig>();
  CHECK(whisper.num_mel_bins == 80);
  CHECK(whisper.num_heads == 2);
  CHECK(whisper.max_positions == 100);
  CHECK(models::check_weights(folders.config()).empty());
  CHECK_NOTHROW(models::load_video_llama(folders.config(), at::kCPU, 1));
}

TEST_CASE("encoder folders: a picture of another size than the file's is resized to") {
  const Folders folders;
  auto config = folders.config();
  config.vision.encoder.as<encoders::SiglipConfig>().image_size = 42;
  CHECK(models::check_weights(config).empty());
  const auto model = models::load_video_llama(config, at::kCPU, 1);
  CHECK(model->branches()[0].encoders()[0]->tokens_per_unit() == 36);
}

TEST_CASE("encoder folders: pieces of sound may be shorter than Whisper's, not longer") {
  const Folders folders;
  auto config = folders.config();
  config.audio.encoder.as<encoders::WhisperConfig>().max_positions = 40;
  CHECK(models::check_weights(config).empty());
  const auto model = models::load_video_llama(config, at::kCPU, 1);
  const encoders::Encoder& encoder = *model->branches()[1].encoders()[0];
  CHECK(encoder.tokens_per_unit() == 40);
  CHECK(encoder(encoder.prepared(test::random_tensor({1, 80, 80}, 1))).size(0) == 40);
  config.audio.encoder.as<encoders::WhisperConfig>().max_positions = 200;
  CHECK_THAT(models::sizes_of_files(config).contradictions.at("audio_encoder"),
             Contains("max_positions is 200, but the file has 100"));
}

TEST_CASE("encoder folders: files that do not belong together are named") {
  const Folders folders;
  Folders::write_json(folders.siglip() / "preprocessor_config.json", {{"size", {{"height", 224}}}});
  CHECK_THAT(folders.contradiction("vision_encoder"),
             Contains("preprocessor_config.json") && Contains("224") && Contains("30"));
  Folders::write_json(folders.siglip() / "preprocessor_config.json",
                      {{"image_mean", {0.48, 0.45, 0.4}}});
  CHECK_THAT(folders.contradiction("vision_encoder"),
             Contains("image_mean") && Contains("[0.5, 0.5, 0.5]"));
  Folders::write_json(folders.siglip() / "preprocessor_config.json", Json::object());
  Folders::write_json(folders.siglip() / "config.json", {{"hidden_act", "quick_gelu"}});
  CHECK_THAT(folders.contradiction("vision_encoder"),
             Contains("hidden_act") && Contains("quick_gelu"));
  write_file_atomically(folders.siglip() / "config.json", "[");
  CHECK_THAT(folders.contradiction("vision_encoder"), Contains("not a JSON object"));

  Folders::write_json(folders.whisper() / "preprocessor_config.json", {{"feature_size", 128}});
  CHECK_THAT(folders.contradiction("audio_encoder"),
             Contains("feature_size") && Contains("128") && Contains("80"));
}

TEST_CASE("encoder folders: another number of mel bins than the file's is refused with both") {
  const Folders folders;
  auto config = folders.config();
  config.audio.encoder.as<encoders::WhisperConfig>().num_mel_bins = 128;
  const auto found = models::sizes_of_files(config).contradictions;
  REQUIRE(found.contains("audio_encoder"));
  CHECK_THAT(found.at("audio_encoder"),
             Contains("model.audio.audio_encoder.num_mel_bins is 128, but the file has 80"));
}

TEST_CASE("encoder folders: a file of another kind is named by what it lacks") {
  const Folders folders;
  auto config = folders.config();
  config.weights.vision_encoder = folders.whisper();
  const auto problems = models::check_weights(config);
  REQUIRE_FALSE(problems.empty());
  CHECK_THAT(problems.front(), Contains("model.weights.vision_encoder"));
}

// Sizes come from the weight files: whatever the configuration leaves out is found, and what it
// says otherwise is one line for a file.
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <catch2/catch.hpp>

#include "config/fields.h"
#include "core/error.h"
#include "models/file_sizes.h"
#include "models/load_video_llama.h"
#include "models/random_weights.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/logged_text.h"
#include "weights/tensor_source.h"
#include "weights/write.h"

using namespace vllama;
using Catch::Contains;
namespace fs = std::filesystem;
using weights::NamedTensors;

namespace {

// The tensors of a file under the names that `rename` makes of theirs.
NamedTensors tensors_in(const fs::path& file) {
  NamedTensors tensors;
  const auto source = weights::open_weights(file);
  for (const auto& facts : source->tensors())
    tensors[facts.name] = source->read(facts.name).clone();
  return tensors;
}

// Tiny base weights of both branches, and checkpoints of both.
class Files {
 public:
  Files() {
    const models::WeightSizes sizes{
        .vision = test::tiny_vision(56),
        .language = {.width = 64, .mlp_width = 172, .num_layers = 2, .num_heads = 4},
        .audio = test::tiny_audio()};
    models::write_random_weights(sizes, 100, 1, folder_.path());
    models::Branch vision = models::make_branch(sizes.vision, 64);
    models::Branch audio = models::make_branch(*sizes.audio, 64);
    nn::ParameterList seeing, hearing;
    vision.declare_trainable(seeing);
    audio.declare_trainable(hearing);
    write("vision_checkpoint", seeing);
    write("audio_checkpoint", hearing);
  }

  fs::path path(const std::string& name) const { return folder_.path() / name; }

  // No sizes but numbers of heads, which no file tells, and those that checkpoints would tell.
  models::ModelConfig config(const std::string& branches) const {
    models::ModelConfig config;
    config.branches = *config::value_named<models::BranchSet>(branches);
    config.precision = models::Precision::fp32;
    config.vision.encoder.as<encoders::EvaVitConfig>().num_heads = 4;
    config.vision.resampler.num_heads = 2;
    config.vision.q_former.num_heads = 2;
    config.audio.twin.as<encoders::ImageBindVisionConfig>().num_heads = 4;
    config.audio.encoder.as<encoders::ImageBindAudioConfig>().num_heads = 4;
    config.audio.q_former.num_heads = 2;
    config.audio.embedding_scale = encoders::EmbeddingScale::published;
    config.weights = {.vision_encoder = path("eva_vit_g.pth"),
                      .q_former = path("blip2_qformer.pth"),
                      .image_bind = path("imagebind_huge.pth"),
                      .language_model = path("llama"),
                      .vision_checkpoint = path("vision_checkpoint.safetensors"),
                      .audio_checkpoint = path("audio_checkpoint.safetensors")};
    if (!config.has_audio()) config.weights.image_bind = config.weights.audio_checkpoint = "";
    if (!config.has_vision())
      config.weights.vision_encoder = config.weights.q_former = config.weights.vision_checkpoint =
          "";
    return config;
  }

 private:
  void write(const std::string& name, const nn::ParameterList& parameters) {
    nn::initialize(parameters, 2);
    NamedTensors tensors;
    for (const nn::Parameter& parameter : parameters) tensors[parameter.name] = *parameter.tensor;
    weights::write_safetensors(path(name + ".safetensors"), tensors);
    weights::write_pth(path(name + ".pth"), tensors, nullptr, "model");
  }

  test::TemporaryFolder folder_;
};

std::string text_of(const models::VisionConfig& vision) {
  return config::dump(vision);
}

void check_tiny_vision(const models::VisionConfig& found) {
  CHECK(text_of(found) == text_of(test::tiny_vision(56)));
}

void check_tiny_audio(const models::AudioConfig& found) {
  CHECK(config::dump(found) == config::dump(test::tiny_audio()));
}

std::string error_of(const models::ModelConfig& config) {
  try {
    models::load_video_llama(config, at::kCPU, 1);
  } catch (const UserError& error) {
    return error.what();
  }
  return "it loads";
}

}  // namespace

TEST_CASE("file sizes: what is left out is found in the files, and the model loads") {
  const Files files;
  const auto config = files.config(GENERATE("vision", "audio", "vision_and_audio"));
  const auto sized = models::sizes_of_files(config);
  CHECK(sized.contradictions.empty());
  if (config.has_vision()) check_tiny_vision(sized.config.vision);
  if (config.has_audio()) check_tiny_audio(sized.config.audio);
  CHECK(models::check_weights(config).empty());
  const auto model = models::load_video_llama(config, at::kCPU, 1);
  if (config.has_vision()) check_tiny_vision(model->config().vision);
  if (config.has_audio()) check_tiny_audio(model->config().audio);
  // What was found may be given.
  CHECK(models::sizes_of_files(sized.config).contradictions.empty());
}

TEST_CASE("file sizes: in other containers, and behind wrappers") {
  const Files files;
  auto config = files.config("vision_and_audio");
  const std::string prefix = GENERATE("", "module.", "_orig_mod.module.");
  const auto moved = [&](std::string& file, const std::string& name) {
    NamedTensors tensors;
    for (const auto& [own, tensor] : tensors_in(file)) tensors[prefix + own] = tensor;
    file = files.path(name);
    if (name.ends_with(".pth"))
      weights::write_pth(file, weights::to_map(tensors));
    else
      weights::write_safetensors(file, tensors);
  };
  moved(config.weights.vision_encoder, "v.safetensors");
  moved(config.weights.q_former, "q.safetensors");
  moved(config.weights.image_bind, "i.safetensors");
  config.weights.vision_checkpoint = files.path("vision_checkpoint.pth");
  moved(config.weights.audio_checkpoint, "a.pth");
  const auto sized = models::sizes_of_files(config);
  check_tiny_vision(sized.config.vision);
  check_tiny_audio(sized.config.audio);
  CHECK(error_of(config) == "it loads");
}

TEST_CASE("file sizes: the encoder of the published form ends with the last block but one") {
  const Files files;
  auto config = files.config("vision");
  auto tensors = tensors_in(config.weights.vision_encoder);
  tensors["norm.weight"] = at::zeros({48});
  tensors["head.weight"] = at::zeros({7, 48});
  config.weights.vision_encoder = files.path("whole.pth");
  weights::write_pth(config.weights.vision_encoder, weights::to_map(tensors));
  CHECK(models::sizes_of_files(config)
            .config.vision.encoder.as<encoders::EvaVitConfig>()
            .num_blocks == 3);
  CHECK(error_of(config) == "it loads");
  config.vision.encoder.as<encoders::EvaVitConfig>().num_blocks = 2;
  CHECK(models::sizes_of_files(config)
            .config.vision.encoder.as<encoders::EvaVitConfig>()
            .num_blocks == 2);
  CHECK(error_of(config) == "it loads");
}

TEST_CASE("file sizes: another size of images is no contradiction where positions are resized") {
  const Files files;
  auto config = files.config("vision_and_audio");
  config.vision.encoder.as<encoders::EvaVitConfig>().image_size = 28;
  CHECK(models::sizes_of_files(config).contradictions.empty());
  CHECK(error_of(config) == "it loads");
  config.audio.twin.as<encoders::ImageBindVisionConfig>().image_size = 28;  // ImageBind's are not
  CHECK_THAT(error_of(config), Contains("model.audio.vision_encoder.image_size is 28, but the file "
                                        "has 224"));
}

TEST_CASE("file sizes: what the configuration says otherwise is one line for a file") {
  const Files files;
  auto config = files.config("vision_and_audio");
  // As if the published sizes stood in the YAML.
  config.vision.encoder = encoders::EvaVitConfig{.image_size = 224,
                                                 .patch_size = 14,
                                                 .width = 1408,
                                                 .num_blocks = 39,
                                                 .num_heads = 16,
                                                 .mlp_width = 6144};
  config.vision.resampler.num_layers = 12;
  config.vision.q_former.num_queries = 32;
  config.vision.max_positions = 32;
  config.audio.twin.as<encoders::ImageBindVisionConfig>().width = 1280;
  config.audio.encoder.as<encoders::ImageBindAudioConfig>().stride = 9;
  config.audio.q_former.cross_attention_every = 2;
  const auto problems = models::check_weights(config);
  CAPTURE(problems);
  REQUIRE(problems.size() == 5);
  for (const std::string& problem : problems) {
    CHECK(std::ranges::count(problem, '\n') == 0);
    CHECK_THAT(problem, Contains("has other sizes than the configuration") &&
                            Contains("leave these keys out"));
  }
  const std::string error = error_of(config);
  CHECK(std::ranges::count(error, '\n') == 4);
  for (const char* words :
       {"model.weights.vision_encoder: '",
        "model.vision.encoder.width is 1408, but the file has 48",
        "model.vision.encoder.num_blocks is 39, but the file has 4 (no blocks.38.attn.qkv.weight)",
        "model.vision.image_q_former.num_layers is 12, but the file has 4",
        "model.vision.video_q_former.num_queries is 32, but the file has 5 (video_query_tokens)",
        "model.vision.max_frame_positions is 32, but the file has 11",
        "model.audio.vision_encoder.width is 1280, but the file has 40",
        "model.audio.audio_encoder.stride is 9, but the file has 10",
        "model.audio.audio_q_former.cross_attention_every is 2, but the file has 1"})
    CHECK_THAT(error, Contains(words));
}

TEST_CASE("file sizes: heads are the published ones unless they are given, and divide the width") {
  const Files files;
  auto config = files.config("vision");
  const auto published = encoders::EvaVitConfig{}.num_heads;
  REQUIRE_FALSE(published.is_given());
  config.vision.encoder.as<encoders::EvaVitConfig>().num_heads = published;
  const test::LoggedText log;
  const auto sized = models::with_sizes_of_files(config);
  CHECK(sized.vision.encoder.as<encoders::EvaVitConfig>().num_heads == 16);  // 48 / 16
  CHECK_THAT(log.text(), Contains("model.vision.encoder.num_heads: 16, as published, is assumed"));
  config.vision.resampler.num_heads = models::QFormerConfig{}.num_heads;  // 12 of 32
  CHECK_THAT(error_of(config),
             Contains("model.vision.image_q_former.num_heads is 12 where it is not given, which "
                      "does not divide the width 32"));
  const auto problems = models::check_weights(config);
  REQUIRE(problems.size() == 1);
  CHECK_THAT(problems[0], Contains("model.vision.image_q_former.num_heads"));
}

TEST_CASE("file sizes: without files they are the published ones, and that is said") {
  const Files files;
  models::ModelConfig config = files.config("vision_and_audio");
  config.weights.vision_encoder = "/nowhere/eva_vit_g.pth";
  config.weights.image_bind = "/nowhere/imagebind_huge.pth";
  const test::LoggedText log;
  const auto sized = models::with_sizes_of_files(config);
  CHECK(sized.vision.encoder.as<encoders::EvaVitConfig>().width == 1408);
  CHECK(sized.vision.encoder.as<encoders::EvaVitConfig>().num_blocks == 39);
  CHECK(sized.audio.twin.as<encoders::ImageBindVisionConfig>().width == 1280);
  CHECK(sized.vision.resampler.width == 32);
  CHECK_THAT(log.text(),
             Contains("model.weights.vision_encoder: '/nowhere/eva_vit_g.pth' cannot be read: the "
                      "published sizes are assumed") &&
                 Contains("model.weights.image_bind"));
}

TEST_CASE("file sizes: a configuration as text gives sizes or leaves them out") {
  const auto read = [](const std::string& text) {
    return config::read<models::VisionConfig>(config::load_text(text, "sizes.yaml"));
  };
  const auto given = read("encoder: {width: 1408}");
  CHECK(given.encoder.as<encoders::EvaVitConfig>().width.is_given());
  CHECK_FALSE(given.encoder.as<encoders::EvaVitConfig>().num_blocks.is_given());
  CHECK_FALSE(given.q_former.num_layers.is_given());
  CHECK(given.q_former.num_layers == 2);
  CHECK(read(config::dump(given)).encoder.as<encoders::EvaVitConfig>().num_blocks.is_given());
  CHECK_THROWS_WITH(read("encoder: {width: 0}"), Contains("encoder.width"));
  CHECK_THROWS_WITH(read("encoder: {width: wide}"), Contains("a whole number"));
  CHECK(read("encoder: {kind: eva_vit_g, width: 48}").encoder.as<encoders::EvaVitConfig>().width ==
        48);
  CHECK_THROWS_WITH(read("encoder: {kind: beit}"),
                    Contains("encoder.kind") && Contains("eva_vit_g"));
  CHECK_THAT(config::help<models::VisionConfig>(), Contains("1408, or the file's"));
}

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.h"
#include "models/branch.h"
#include "models/encoder_reading.h"
#include "models/weight_names.h"
#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/golden_tensors.h"
#include "tests/support/tensors.h"
#include "weights/load.h"

using namespace vllama;
using test::kOutputTolerance;

namespace {

// Sums over 24 or 28 numbers in fp32.
constexpr double kLengthTolerance = 1e-5;

struct TinyAudio {
  explicit TinyAudio(const models::AudioConfig& config = test::tiny_audio())
      : vision(test::golden_file("components/imagebind_vision.safetensors")),
        audio(test::golden_file("components/imagebind_audio.safetensors")),
        golden(test::golden_file("components/audio_branch.safetensors")),
        model(models::make_branch(config, 64)) {
    nn::ParameterList trunks;
    model.declare_encoders(trunks);
    for (const nn::Parameter& parameter : trunks) {
      const auto& file = vision.has("state." + parameter.name) ? vision : audio;
      file.fill({parameter}, "state.");
    }
    model.declare_trainable(trainable);
    golden.fill(trainable, "state.");
  }

  at::Tensor frames() const {
    return model.encode_prepared(0, test::normalized(vision["input_u8"].flatten(0, 1)));
  }
  at::Tensor clips() const { return model.encode_prepared(1, audio["input"].flatten(0, 1)); }

  test::GoldenTensors vision, audio, golden;
  models::Branch model;
  nn::ParameterList trainable;
};

void check_lengths(const at::Tensor& embeddings_RE, double expected) {
  CHECK(test::relative_difference(embeddings_RE.norm(2, {1}),
                                  at::full({embeddings_RE.size(0)}, expected, at::kFloat)) <
        kLengthTolerance);
}

// The trained part from a file in the layout of a published checkpoint, strictly.
void load_checkpoint(models::Branch& model, const std::filesystem::path& file) {
  nn::ParameterList trainable;
  model.declare_trainable(trainable);
  std::vector<weights::ParameterSlot> slots;
  for (const nn::Parameter& parameter : trainable)
    slots.push_back({parameter.name, parameter.shape, parameter.tensor});
  const auto summary = weights::load_parameters(
      *weights::open_weights(file), slots, {.is_ignorable = [](const std::string& name) {
        return models::is_unused_in_checkpoint(name, models::ModulePlace::audio_branch);
      }});
  CHECK(summary.num_loaded == 58);
}

}  // namespace

TEST_CASE("audio branch: embeddings, media embeddings and all gradients, for frames and sound") {
  const std::string kind = GENERATE("vision.", "audio.");
  TinyAudio branch;
  const bool sees = kind == "vision.";
  const at::Tensor embeddings = sees ? branch.frames() : branch.clips();
  CHECK_FALSE(embeddings.requires_grad());
  const auto& recorded = sees ? branch.vision : branch.audio;
  CHECK(test::relative_difference(embeddings, recorded["output"].flatten(0, 1)) < kOutputTolerance);
  const at::Tensor expected = branch.golden[kind + "inputs_llama"];
  const at::Tensor media =
      branch.model.embed(embeddings, sees ? models::Branch::Media{2} : models::Branch::Media{2, 2})
          .view(expected.sizes());
  CHECK(test::relative_difference(media.detach(), expected) < kOutputTolerance);
  const at::Tensor loss = (media * branch.golden[kind + "loss_weight"]).sum();
  CHECK(test::relative_difference(loss.detach(), branch.golden[kind + "loss"]) < kOutputTolerance);
  loss.backward();
  CHECK(branch.golden.check_gradients(branch.trainable, kind + "grad.") == 58);
}

TEST_CASE("audio branch: names and order are those of a published checkpoint") {
  models::Branch model = models::make_branch(test::tiny_audio(), 64);
  nn::ParameterList trainable;
  model.declare_trainable(trainable);
  REQUIRE(trainable.size() == 58);
  CHECK(trainable[0].name == "audio_query_tokens");
  CHECK(trainable[1].name == "audio_Qformer.bert.embeddings.LayerNorm.weight");
  CHECK(trainable[54].name == "audio_Qformer.bert.encoder.layer.1.output_query.LayerNorm.bias");
  CHECK(trainable[55].name == "audio_llama_proj.weight");
  CHECK(trainable[56].name == "audio_llama_proj.bias");
  CHECK(trainable[57].name == "audio_position_embedding.weight");
}

TEST_CASE("audio branch: published lengths are 1 for pictures and 20 for sound, equal ones agree") {
  models::AudioConfig config = test::tiny_audio();
  const TinyAudio published(config);
  check_lengths(published.frames(), 1);
  check_lengths(published.clips(), 20);
  config.embedding_scale = encoders::EmbeddingScale::equal;
  const TinyAudio equal(config);
  check_lengths(equal.frames(), std::sqrt(24.0));
  check_lengths(equal.clips(), std::sqrt(24.0));
  CHECK(test::relative_difference(equal.frames(), published.frames() * std::sqrt(24.0)) <
        kLengthTolerance);
}

TEST_CASE("audio branch: nothing random in the encoders, however many inputs go at once") {
  models::AudioConfig config = test::tiny_audio();
  const TinyAudio branch(config);
  CHECK(test::same_bits(branch.frames(), branch.frames()));
  CHECK(test::same_bits(branch.clips(), branch.clips()));
  config.units_at_once = 1;
  const TinyAudio one_by_one(config);
  CHECK(test::relative_difference(one_by_one.frames(), branch.frames()) < kOutputTolerance);
  CHECK(test::relative_difference(one_by_one.clips(), branch.clips()) < kOutputTolerance);
}

TEST_CASE("audio branch: items of different lengths share a batch, up to the position table") {
  const TinyAudio branch;
  const at::Tensor embeddings = test::random_tensor({13, 24}, 4);
  const at::Tensor together = branch.model.embed(embeddings, {1, 4, 8});
  const at::Tensor second = branch.model.embed(embeddings.narrow(0, 1, 4), {4});
  CHECK(test::relative_difference(together.narrow(0, 3, 3).detach(), second.detach()) < 1e-5);
  const at::Tensor nine = test::random_tensor({9, 24}, 4);
  CHECK_THROWS_AS(branch.model.embed(nine, {9}), UserError);
  CHECK_THROWS_WITH(branch.model.embed(nine, {9}),
                    Catch::Contains("9 frames, sound clips or windows") &&
                        Catch::Contains("model.audio.max_positions = 8"));
}

TEST_CASE("audio branch: sound clips on the scale of the frames that it trained with, or on none") {
  models::AudioConfig config = test::tiny_audio();
  const TinyAudio table(config);
  config.positions = models::PositionKind::interpolated;
  const TinyAudio interpolated(config);
  config.positions = models::PositionKind::none;
  const TinyAudio none(config);
  const at::Tensor embeddings = test::random_tensor({12, 24}, 4);
  const auto media = [&](const TinyAudio& branch, const at::Tensor& rows) {
    return branch.model.embed(rows, {rows.size(0)}).detach();
  };
  const at::Tensor eight = embeddings.narrow(0, 0, 8);
  CHECK(test::same_bits(media(interpolated, eight), media(table, eight)));
  CHECK_FALSE(test::same_bits(media(interpolated, eight.narrow(0, 0, 4)),
                              media(table, eight.narrow(0, 0, 4))));
  CHECK(media(interpolated, embeddings).size(0) == 3);
  CHECK(test::relative_difference(media(none, embeddings.flip(0)), media(none, embeddings)) <
        kOutputTolerance);
}

TEST_CASE("audio branch: dropout acts in training, and on the sample it belongs to") {
  const TinyAudio branch;
  const at::Tensor embeddings = test::random_tensor({4, 24}, 4);
  const auto media = [&](const std::vector<std::uint64_t>& keys) {
    return branch.model.embed(embeddings, {2, 2}, nn::Dropout(0.1, keys, at::kCPU)).detach();
  };
  const at::Tensor first = media({1, 2});
  CHECK(test::same_bits(first, media({1, 2})));
  CHECK_FALSE(test::same_bits(first, branch.model.embed(embeddings, {2, 2}).detach()));
  const at::Tensor other = media({1, 3});
  CHECK(test::same_bits(first.narrow(0, 0, 3), other.narrow(0, 0, 3)));
  CHECK_FALSE(test::same_bits(first.narrow(0, 3, 3), other.narrow(0, 3, 3)));
}

TEST_CASE("audio branch: from published files to what the language model received") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  constexpr std::int64_t kFirstPlaceholder = 32000;  // ids from here on are no pieces of text
  models::Branch model = models::make_branch(test::tiny_audio(), 64);
  models::load(models::encoder_reading(model, goldens / "ckpt/imagebind/imagebind_huge.pth",
                                       {.dtype = at::kFloat}));
  load_checkpoint(model, goldens / "ckpt/init_al.pth");
  const test::GoldenTensors captions(goldens / "components/whole_al_caption.safetensors");
  const test::GoldenTensors conversations(goldens / "components/whole_al_multi_vicuna.safetensors");
  const at::Tensor images = test::normalized(captions["image_u8"].flatten(0, 1));
  const at::Tensor media = model.embed(model.encode_prepared(0, images), {2, 2}).detach();
  // Behind the token that opens the sequence.
  CHECK(test::relative_difference(media, captions["inputs_embeds"].narrow(1, 1, 3).flatten(0, 1)) <
        kOutputTolerance);
  const at::Tensor places = conversations["input_ids"].ge(kFirstPlaceholder);
  CHECK(test::relative_difference(media, conversations["inputs_embeds"].index({places})) <
        kOutputTolerance);
}

TEST_CASE("audio branch: a checkpoint that the original wrote after training loads") {
  VLLAMA_SHARED_FILE(file, "goldens/runs/al_stage1_webvid/checkpoint_1.pth");
  models::Branch model = models::make_branch(test::tiny_audio(), 64);
  load_checkpoint(model, file);
}

TEST_CASE("audio branch: a checkpoint of the vision branch is refused") {
  VLLAMA_SHARED_FILE(file, "goldens/ckpt/init_vl.pth");
  models::Branch model = models::make_branch(test::tiny_audio(), 64);
  CHECK_THROWS_WITH(load_checkpoint(model, file), Catch::Contains("init_vl.pth") &&
                                                      Catch::Contains("audio_query_tokens") &&
                                                      !Catch::Contains("video_query_tokens"));
}

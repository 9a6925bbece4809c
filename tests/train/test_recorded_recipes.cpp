// The recorded runs of the other recipes: instructions and prompted captions, and the audio branch.
#include <catch2/catch.hpp>

#include "tests/models/sizes.h"
#include "tests/support/fixtures.h"
#include "tests/support/tensors.h"
#include "tests/train/recorded_run.h"
#include "weights/tensor_source.h"

using namespace vllama;
using namespace vllama::test;
namespace fs = std::filesystem;

namespace {

// Stage 2 of the recordings.
train::RunConfig second_stage(const fs::path& goldens, const fs::path& output) {
  train::RunConfig config = recorded_run(goldens, output);
  config.model.weights.projection.clear();
  config.data.captions.end_sign = "###";
  config.schedule.peak_learning_rate = 5e-4;
  config.schedule.min_learning_rate = 5e-5;
  config.schedule.warmup_learning_rate = 1e-6;
  config.schedule.warmup_steps = 4;
  return config;
}

datasets::DatasetConfig videochat(const fs::path& goldens) {
  datasets::DatasetConfig set;
  set.name = set.format = "videochat_instruct";
  set.annotations = goldens / "data/videochat_instruct.json";
  set.media_root = goldens / "../fixtures";
  set.transform = samples::Transform::eval;
  return set;
}

// The model with the audio branch, as the released checkpoints were trained.
void take_audio_branch(train::RunConfig& config, const fs::path& goldens) {
  config.model.branches = models::BranchSet::audio;
  config.model.audio = tiny_audio();
  config.model.audio.embedding_scale = encoders::EmbeddingScale::published;
  config.model.weights = {.image_bind = goldens / "ckpt/imagebind/imagebind_huge.pth",
                          .language_model = goldens / "ckpt/llama",
                          .audio_checkpoint = goldens / "ckpt/init_al.pth"};
}

// Copies of the two pictures under the names that annotations use.
class Pictures {
 public:
  Pictures(const fs::path& media, const std::string& statue, const std::string& dog) {
    fs::copy_file(media / "Statue_of_Liberty.jpg", folder_.path() / statue);
    fs::copy_file(media / "dog.jpg", folder_.path() / dog);
  }
  std::string path() const { return folder_.path(); }

 private:
  TemporaryFolder folder_;
};

// The recording keeps all weights in a checkpoint, or some among its tensors.
int check_last_weights(const weights::NamedTensors& weights, const fs::path& recording) {
  if (!fs::exists(recording / "checkpoint_1.pth"))
    return check_weights(weights, GoldenTensors(recording / "tensors.safetensors"), "after_last.");
  const auto last = weights::open_weights(recording / "checkpoint_1.pth");
  int compared = 0;
  for (const auto& [name, tensor] : weights) {
    if (!is_comparable(name)) continue;
    INFO(name);
    CHECK(absolute_difference(tensor, last->read(name)) < kWeightTolerance);
    ++compared;
  }
  return compared;
}

// Trains all steps of the recording. The number of tensors that were compared at the end.
int follow(const train::RunConfig& config, const fs::path& goldens, const std::string& run) {
  const auto log = trajectory(goldens, run)["micro_steps"];
  Session session(config);
  distributed::Communicator one_rank;
  train::Trainer trainer(session.config, *session.model, one_rank);
  const auto order = session.order();
  const auto num_steps = static_cast<std::int64_t>(log.size());
  auto loader = session.loader(order, 0, num_steps);
  for (std::int64_t step = 0; step < num_steps; ++step) {
    const auto next_batch = [&] { return loader.next(); };
    check_step(trainer.step(step, next_batch).metrics, log[static_cast<std::size_t>(step)]);
    if (step > 0) continue;
    const GoldenTensors first(goldens / "runs" / run / "tensors.safetensors");
    check_weights(trainer.state().at("trainable"), first, "after1.");
  }
  CHECK(loader.counters().num_dropped == 0);
  return check_last_weights(trainer.state().at("trainable"), goldens / "runs" / run);
}

}  // namespace

TEST_CASE("stage 2 on conversations about videos") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const TemporaryFolder folder;
  train::RunConfig config = second_stage(goldens, folder.path());
  config.data.sets = {videochat(goldens)};
  config.data.compat =
      samples::CompatPreset::reference;  // its texts tell times by the average rate
  CHECK(follow(config, goldens, "vl_stage2_videochat") > 5);
}

TEST_CASE("stage 2 on conversations about images, LLaMA-2 template") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const Pictures pictures(media, "COCO_train2014_statue.jpg", "COCO_train2014_dog.jpg");
  const TemporaryFolder folder;
  train::RunConfig config = second_stage(goldens, folder.path());
  datasets::DatasetConfig set;
  set.name = set.format = "llava_instruct";
  set.annotations = goldens / "data/llava_instruct.json";
  set.media_root = pictures.path();
  set.image_prefix = "COCO_train2014_";
  set.transform = samples::Transform::eval;
  config.data.sets = {set};
  config.data.conversations.family = "llama_v2";
  CHECK(follow(config, goldens, "vl_stage2_llava") > 5);
}

TEST_CASE("stage 2 on captions of images behind a prompt") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  VLLAMA_SHARED_FILE(media, "fixtures/media");
  const Pictures pictures(media, "2.jpg", "7.jpg");
  const TemporaryFolder folder;
  train::RunConfig config = second_stage(goldens, folder.path());
  datasets::DatasetConfig set;
  set.name = set.format = "cc_sbu_align";
  set.annotations = goldens / "data/align/filter_cap.json";
  set.media_root = pictures.path();
  set.transform = samples::Transform::eval;
  set.clean_captions = false;
  config.data.sets = {set};
  config.data.captions.prompt_file = goldens / "data/prompts/one.txt";
  config.data.captions.prompt_template = "###Human: {} ###Assistant: ";
  config.data.captions.max_tokens = 160;
  CHECK(follow(config, goldens, "vl_stage2_align_prompt") > 5);
}

TEST_CASE("the audio branch, stage 1 on WebVid through ImageBind's vision trunk") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const TemporaryFolder folder;
  train::RunConfig config = recorded_run(goldens, folder.path());
  take_audio_branch(config, goldens);
  CHECK(follow(config, goldens, "al_stage1_webvid") == 54);
}

TEST_CASE("the audio branch, stage 2 on conversations about videos") {
  VLLAMA_SHARED_FILE(goldens, "goldens");
  const TemporaryFolder folder;
  train::RunConfig config = second_stage(goldens, folder.path());
  take_audio_branch(config, goldens);
  config.data.sets = {videochat(goldens)};
  config.data.compat =
      samples::CompatPreset::reference;  // its texts tell times by the average rate
  CHECK(follow(config, goldens, "al_stage2_videochat") > 5);
}

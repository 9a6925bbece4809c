// check and train refuse the same wrong configurations, in the same words, and before a folder is
// made or a weight is read.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/tools/program.h"
#include "tests/train/half_run.h"
#include "train/check/check.h"
#include "train/plan/run_rules.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;
using test::refusal_before_weights;
using test::refusal_of;
namespace fs = std::filesystem;

namespace {

using Change = std::function<void(RunConfig&)>;

struct Mistake {
  const char* named;  // in the words about it
  Change make;
};

eval::TaskConfig task(const std::string& name) {
  eval::TaskConfig task;
  task.name = name;
  task.format = "questions";
  task.annotations = "/nowhere/questions.jsonl";
  task.media_root = ".";
  return task;
}

datasets::DataConfig held_out(const RunConfig& config) {
  datasets::DataConfig data;
  data.sets = config.data.sets;
  return data;
}

// Of captions that can be opened.
eval::TaskConfig caption_task(const RunConfig& config) {
  eval::TaskConfig captions = task("written");
  captions.format = "captions";
  captions.caption_format = "webvid";
  captions.annotations = config.data.sets[0].annotations;
  captions.media_root = config.data.sets[0].media_root;
  return captions;
}

void ask_captions(RunConfig& config) {
  config.eval.every_steps = 2;
  config.eval.tasks = {caption_task(config)};
}

// One or more of every section that has rules with another.
std::vector<Mistake> mistakes() {
  return {
      {"no loss is a spike",
       [](RunConfig& c) {
         c.training.skip_spikes = true;
         c.training.spike_z_score = 0;
       }},
      {"'projection' has a learning rate",
       [](RunConfig& c) {
         c.model.trainable = {{models::ModuleName::projection, 1e-4}};
         c.schedule.peak_learning_rate = 0;
       }},
      {"'projection' is named twice",
       [](RunConfig& c) {
         c.model.trainable = {{models::ModuleName::projection}, {models::ModuleName::projection}};
       }},
      {"belongs to a branch that the model lacks",
       [](RunConfig& c) { c.model.trainable = {{models::ModuleName::audio_projection}}; }},
      {"cannot train together with 'language_model'",
       [](RunConfig& c) {
         c.model.trainable = {{models::ModuleName::lora}, {models::ModuleName::language_model}};
       }},
      {"set model.recompute_layers: true",
       [](RunConfig& c) { c.distributed.shard_language_model = true; }},
      {"only a frozen language model",
       [](RunConfig& c) {
         c.distributed.shard_language_model = c.model.recompute_layers = true;
         c.model.trainable = {{models::ModuleName::language_model}};
       }},
      {"model.weights.vision_encoder",
       [](RunConfig& c) { c.model.weights.vision_encoder.clear(); }},
      {"does not divide the width",
       [](RunConfig& c) { c.model.vision.encoder.as<encoders::EvaVitConfig>().num_heads = 3; }},
      {"samples may have", [](RunConfig& c) { c.data.captions.max_tokens = 100; }},
      {"takes 33 frames, more than model.vision.max_frame_positions",
       [](RunConfig& c) { c.data.sets[0].num_frames = 33; }},
      {"min_crop_scale 0.9 is above",
       [](RunConfig& c) {
         c.data.sets[0].min_crop_scale = 0.9;
         c.data.sets[0].max_crop_scale = 0.8;
       }},
      {"inputs: sound needs a model with an audio branch",
       [](RunConfig& c) { c.data.sets[0].inputs = samples::Inputs::sound; }},
      {"data.interleave: true needs a model with both branches",
       [](RunConfig& c) { c.data.interleave = true; }},
      {"data.conversations.system: the prompts of 'vicuna' have no place for a system text",
       [](RunConfig& c) { c.data.conversations.system = "Be short."; }},
      {"model.vision.encoder_lora.targets: 'q_proj' is no matrix of the encoder's blocks",
       [](RunConfig& c) {
         c.model.trainable = {{models::ModuleName::vision_encoder_lora}};
         c.model.vision.encoder_lora.targets = {"q_proj"};
       }},
      {"image_prefix is for the format llava_instruct",
       [](RunConfig& c) { c.data.sets[0].image_prefix = "COCO_"; }},
      {"media_root is missing", [](RunConfig& c) { c.data.sets[0].media_root.clear(); }},
      {"media_root '/nowhere' does not exist",
       [](RunConfig& c) { c.data.sets[0].media_root = "/nowhere"; }},
      {"the list of data sets is empty", [](RunConfig& c) { c.data.sets.clear(); }},
      {"two data sets are called 'clips'",
       [](RunConfig& c) { c.data.sets.push_back(c.data.sets[0]); }},
      {"at least one data set needs a weight above 0",
       [](RunConfig& c) { c.data.sets[0].weight = 0; }},
      {"add up to 40, but the run takes 24", [](RunConfig& c) { c.data.sets[0].num_samples = 40; }},
      {"'clips' has both weight and num_samples",
       [](RunConfig& c) {
         c.data.sets[0].num_samples = 24;
         c.data.sets[0].weight = 2;
       }},
      {"'more' has no num_samples but others have",
       [](RunConfig& c) {
         c.data.sets.push_back(c.data.sets[0]);
         c.data.sets[0].num_samples = 24;
         c.data.sets[1].name = "more";
       }},
      {"'eval/other/accuracy' is not measured",
       [](RunConfig& c) { c.checkpoints.best_metric = "eval/other/accuracy"; }},
      {"a multiple of eval.every_steps",
       [](RunConfig& c) {
         c.eval.every_steps = 4;
         c.eval.losses = {held_out(c)};
         c.checkpoints.best_metric = "eval/clips/loss";
       }},
      {"both empty", [](RunConfig& c) { c.eval.every_steps = 2; }},
      {"/nowhere/questions.jsonl",
       [](RunConfig& c) {
         c.eval.every_steps = 2;
         c.eval.tasks = {task("asked")};
       }},
      {"'a/b' cannot be the name of a folder",
       [](RunConfig& c) {
         c.eval.every_steps = 2;
         c.eval.tasks = {task("a/b")};
       }},
      {"eval.losses.0: data set 'clips': media_root '/nowhere'",
       [](RunConfig& c) {
         c.eval.every_steps = 2;
         c.eval.losses = {held_out(c)};
         c.eval.losses[0].sets[0].media_root = "/nowhere";
       }},
      {"eval.losses.0: there is no annotation folder '/nowhere'",
       [](RunConfig& c) {
         c.eval.every_steps = 2;
         c.eval.losses = {held_out(c)};
         c.eval.losses[0].sets[0].annotations = "/nowhere";
       }},
      {"lower eval.losses.0.conversations.max_tokens",
       [](RunConfig& c) {
         c.eval.every_steps = 2;
         c.eval.losses = {held_out(c)};
         c.eval.losses[0].captions.max_tokens = 100;
       }},
      {"eval.generation: num_beams above 1",
       [](RunConfig& c) {
         ask_captions(c);
         c.eval.generation.num_beams = 2;
         c.eval.generation.do_sample = true;
       }},
      {"eval.generation: an answer of up to 64 tokens leaves nothing of 64 for a prompt",
       [](RunConfig& c) {
         ask_captions(c);
         c.eval.generation.max_new_tokens = 64;
       }},
      {"task 'written': objects and object_names go together",
       [](RunConfig& c) {
         ask_captions(c);
         c.eval.tasks[0].objects = c.model.weights.language_model + "/config.json";
       }},
      {"eval.tasks: data set 'written': inputs: sound needs a model with an audio branch",
       [](RunConfig& c) {
         ask_captions(c);
         c.eval.tasks[0].inputs = samples::Inputs::sound;
       }},
      {"eval.tasks: data set 'written' takes 33 frames",
       [](RunConfig& c) {
         ask_captions(c);
         c.eval.prompt.num_frames = 33;
       }},
      {"cannot answer; evaluate its checkpoints",
       [](RunConfig& c) {
         c.distributed.shard_language_model = c.model.recompute_layers = true;
         c.eval.every_steps = 2;
         c.eval.losses = {held_out(c)};
       }},
      {"none is a language model alone",
       [](RunConfig& c) { c.model.branches = models::BranchSet::none; }},
      {"/nowhere/config.json", [](RunConfig& c) { c.model.weights.language_model = "/nowhere"; }},
      {"'/proc/self/status' is in the way",
       [](RunConfig& c) { c.output_dir = "/proc/self/status/run"; }},
  };
}

}  // namespace

TEST_CASE("rules: check and train refuse the same configurations in the same words") {
  const test::TinyWorld world;
  for (const Mistake& mistake : mistakes()) {
    INFO(mistake.named);
    RunConfig config = world.run("refused");
    mistake.make(config);
    const CheckReport report = check(config, {.media = MediaCheck::none});
    CAPTURE(report.problems);
    const std::string refusal = refusal_of(config);
    CHECK_THAT(refusal, Contains(mistake.named));
    CHECK_THAT(fmt::format("{}", fmt::join(report.problems, "\n")), Contains(mistake.named));
    // Nothing that training names is missing in the check's list.
    const std::vector<std::string> broken = look_at_rules(config).broken;
    for (const std::string& rule : broken) {
      CHECK_THAT(refusal, Contains(rule));
      CHECK(std::ranges::count(report.problems, rule) == 1);
    }
    CHECK_FALSE(fs::exists(world.path("refused")));
  }
}

TEST_CASE("rules: all that are broken are told at once, before a weight is looked at") {
  const test::TinyWorld world;
  RunConfig config = world.run("refused");
  config.training.skip_spikes = true;
  config.training.spike_z_score = 0;
  config.data.sets[0].num_frames = 33;
  config.data.sets[0].media_root = "/nowhere";
  config.checkpoints.best_metric = "eval/a/b";
  config.model.weights.q_former = "/nowhere.pth";
  const std::string refusal = refusal_of(config);
  CHECK_THAT(refusal, Contains("4 things must be changed:") && Contains("no loss is a spike") &&
                          Contains("33 frames") && Contains("media_root '/nowhere'") &&
                          Contains("'eval/a/b'") && !Contains("/nowhere.pth"));
  CHECK(look_at_rules(world.run("fine")).broken.empty());
}

TEST_CASE("rules: data of which nothing can be used end a run at once, with the first reason") {
  const test::TinyWorld world;
  for (int i = 0; i < 5; ++i) fs::remove(world.path(fmt::format("videos/page/clip{}.mp4", i)));
  const auto config = test::write_config(world.run("run"), world.path("run.yaml"));
  const auto outcome = test::run_program("train '" + config.string() + "'");
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.output,
             Contains("data set clips: not one of 5 samples that were tried can be used") &&
                 Contains("record 0 (clip0): not_found: ") && Contains("clip0.mp4") &&
                 Contains("media_root '" + world.path("videos").string() + "'"));
  CHECK_FALSE(fs::exists(world.path("run/metrics.jsonl")));
}

TEST_CASE("rules: one sample that works is enough to begin") {
  const test::TinyWorld world;
  for (int i = 0; i < 4; ++i) fs::remove(world.path(fmt::format("videos/page/clip{}.mp4", i)));
  CHECK(train::train(world.run("run"), {}) == 0);
}

TEST_CASE("rules: all weight files that do not fit are told before one is read") {
  const test::TinyWorld world;
  RunConfig config = world.run("run");
  config.model.weights.projection = "/nowhere/projection.pth";
  fs::remove(world.path("weights/blip2_qformer.pth"));
  const std::string refusal = refusal_before_weights(config);
  CHECK_THAT(refusal, Contains("2 things must be changed"));
  for (const std::string& problem : check(config, {}).problems)
    CHECK_THAT(refusal, Contains(problem));
}

TEST_CASE("rules: a dry run makes no folder, also beside a run that goes on") {
  const test::TinyWorld world;
  CHECK(train::train(world.run("deep/in/run"), {.dry_run = true}) == 0);
  CHECK_FALSE(fs::exists(world.path("deep")));
}

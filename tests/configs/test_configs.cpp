// Every file below configs/ loads strictly, and the published run has the published numbers.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "config/fields.h"
#include "core/files.h"
#include "eval/evaluate/eval_config.h"
#include "models/random_weights.h"
#include "tests/support/fixtures.h"
#include "text/prompt.h"
#include "train/plan/startup_report.h"
#include "train/run/run_config.h"

namespace fs = std::filesystem;
using namespace vllama;

namespace {

constexpr double kRateTolerance = 1e-12;  // relative: both sides compute in fp64

const fs::path kPublishedRun = "configs/runs/vision_stage1_vicuna7b.yaml";

train::RunConfig read_run(const fs::path& path) {
  return config::read<train::RunConfig>(config::load_file(path));
}

// What `vllama make-weights` reads, told by its name from a model that runs include.
bool is_sizes_file(const fs::path& path) {
  return path.stem().string().ends_with("_sizes");
}

bool is_audio_file(const fs::path& path) {
  return path.stem().string().ends_with("_audio");
}

void check_loads(const fs::path& path) {
  const std::string folder = path.parent_path().filename().string();
  INFO(path.string());
  const bool is_evaluation = folder == "eval" || path.stem().string().starts_with("eval_");
  const bool is_demo = folder == "toy" || folder == "real_hearing";
  if (folder == "runs" || (is_demo && !is_evaluation))
    CHECK_NOTHROW(read_run(path));
  else if (is_evaluation)
    CHECK_NOTHROW(config::read<eval::EvalConfig>(config::load_file(path)));
  else if (is_sizes_file(path))
    CHECK_NOTHROW(config::read<models::WeightSizes>(config::load_file(path)));
  else if (folder == "prompts")
    CHECK_FALSE(text::read_caption_prompts(path, "{}").empty());
  else if (is_audio_file(path))
    CHECK_NOTHROW(config::read<models::AudioConfig>(config::load_file(path)));
  else
    CHECK_NOTHROW(config::read<models::VisionConfig>(config::load_file(path)));
}

// The table of this name, as recorded from the original's scheduler.
nlohmann::json schedule_table(const fs::path& tables, const std::string& name) {
  for (const auto& table : nlohmann::json::parse(read_file(tables)))
    if (table.at("name") == name) return table;
  FAIL(tables.string() << " has no table " << name);
  return {};
}

}  // namespace

TEST_CASE("every configuration loads into its struct") {
  std::size_t num_files = 0;
  for (const auto& entry : fs::recursive_directory_iterator("configs")) {
    if (!entry.is_regular_file()) continue;
    check_loads(entry.path());
    ++num_files;
  }
  CHECK(num_files > 3);
}

TEST_CASE("the published sizes of the vision branch are the defaults") {
  const auto tree = config::load_file("configs/models/video_llama_vision.yaml");
  CHECK(config::dump(config::read<models::VisionConfig>(tree)) ==
        config::dump(models::VisionConfig{}));
}

TEST_CASE("the published sizes of the audio branch are the defaults") {
  const auto tree = config::load_file("configs/models/video_llama_audio.yaml");
  CHECK(config::dump(config::read<models::AudioConfig>(tree)) ==
        config::dump(models::AudioConfig{}));
}

TEST_CASE("published stage 1 takes 256 samples a step, from WebVid and CC595k as 100 to 24") {
  const auto run = read_run(kPublishedRun);
  CHECK(run.training.batch_size == 256);
  REQUIRE(run.data.sets.size() == 2);
  CHECK(run.data.sets[0].weight == 100);
  CHECK(run.data.sets[1].weight == 24);
  CHECK(run.data.captions.end_sign == "\n");
}

TEST_CASE("the rates of the published recipes are those of the original's scheduler") {
  VLLAMA_SHARED_FILE(tables, "goldens/optim/lr_tables.json");
  const auto [file, name] =
      GENERATE(table<std::string, std::string>({{"vision_stage1", "vl_stage1_recipe"},
                                                {"vision_stage2", "vl_stage2_recipe"},
                                                {"audio_stage1", "al_stage1_recipe"},
                                                {"audio_stage2", "al_stage2_recipe"}}));
  const std::string language_model = GENERATE("vicuna7b", "vicuna13b", "llama2_7b", "llama2_13b");
  INFO(file << " with " << language_model);
  const auto run = read_run(fmt::format("configs/runs/{}_{}.yaml", file, language_model));
  const auto rates = schedule_table(tables, name);
  CHECK(run.training.num_steps() == rates.at("total_steps"));
  const optim::RunLength length{run.training.num_epochs, run.training.steps_per_epoch};
  for (const auto& point : rates.at("points")) {
    const auto step = point.at(0).get<std::int64_t>();
    INFO("step " << step);
    CHECK(optim::learning_rate(run.schedule, length, step) ==
          Approx(point.at(1).get<double>()).epsilon(kRateTolerance).margin(0));
  }
}

TEST_CASE("recipes have the published batches, limits, texts and trained branch") {
  const std::string language_model = GENERATE("vicuna7b", "vicuna13b", "llama2_7b", "llama2_13b");
  const std::string branch = GENERATE("vision", "audio");
  const bool is_llama2 = language_model.starts_with("llama2");
  const auto first =
      read_run(fmt::format("configs/runs/{}_stage1_{}.yaml", branch, language_model));
  const auto second =
      read_run(fmt::format("configs/runs/{}_stage2_{}.yaml", branch, language_model));
  INFO(branch << " with " << language_model);
  CHECK(config::name_of(first.model.branches) == branch);
  CHECK(config::name_of(second.model.branches) == branch);
  CHECK(first.training.batch_size == 256);
  CHECK(second.training.batch_size == 32);
  CHECK(first.data.captions.max_tokens == 32);
  CHECK(first.data.captions.prompt_file.empty());
  CHECK(second.data.captions.max_tokens == (branch == "vision" ? 320 : 512));
  CHECK(second.data.captions.end_sign == (is_llama2 ? "</s>" : "###"));
  CHECK(second.data.conversations.family == (is_llama2 ? "llama_v2" : "vicuna"));
  CHECK(second.data.conversations.max_tokens == 512);
  const auto& weights = second.model.weights;
  const std::string& start =
      branch == "vision" ? weights.vision_checkpoint : weights.audio_checkpoint;
  CHECK(start == fmt::format("{}/checkpoints/step_{:06}/trainable.safetensors", first.output_dir,
                             first.training.num_steps()));
}

namespace {

// As their config.json has them.
language::LlamaConfig qwen3_8b() {
  return {.vocabulary_size = 151936,
          .width = 4096,
          .mlp_width = 12288,
          .num_layers = 36,
          .num_heads = 32,
          .num_key_value_heads = 8,
          .head_width = 128,
          .max_positions = 40960,
          .type = &language::kLanguageModelTypes[3]};
}

language::LlamaConfig llama3_1_8b() {
  return {.vocabulary_size = 128256,
          .width = 4096,
          .mlp_width = 14336,
          .num_layers = 32,
          .num_heads = 32,
          .num_key_value_heads = 8,
          .head_width = 128,
          .max_positions = 131072};
}

std::int64_t parameters_of(const std::vector<train::ModulePlan>& modules, const std::string& name) {
  std::int64_t sum = 0;
  for (const train::ModulePlan& module : modules)
    if (module.name == name) sum += module.num_parameters;
  return sum;
}

}  // namespace

TEST_CASE("recipes with models of today can be planned, and are as large as these are") {
  const std::string stage =
      GENERATE("vision_stage1", "vision_stage2", "audio_stage1", "sight_and_sound_stage2");
  const std::string language_model = GENERATE("qwen3_8b", "llama3_1_8b");
  const auto run = read_run(fmt::format("configs/runs/{}_{}.yaml", stage, language_model));
  INFO(stage << " with " << language_model);
  const bool is_qwen = language_model == "qwen3_8b";
  CHECK(run.data.conversations.family == (stage.ends_with("stage1") ? "vicuna"
                                          : is_qwen                 ? "qwen3"
                                                                    : "llama_3"));
  models::VideoLlama model(run.model, is_qwen ? qwen3_8b() : llama3_1_8b());
  const auto modules = train::plan_modules(run, model);
  CHECK(parameters_of(modules, "language_model") == (is_qwen ? 8'190'735'360 : 8'030'261'248));
  const bool encoder_trains = stage == "vision_stage2";
  // Without the head, whose pooling is not used, and the block behind the layer that is read.
  if (run.model.has_vision())
    CHECK(parameters_of(modules, encoder_trains ? "vision_encoder" : "vision encoder") ==
          397'745'440);
  if (run.model.has_audio()) CHECK(parameters_of(modules, "audio encoder") == 636'968'960);
  CHECK(parameters_of(modules, "lora") ==
        (stage.ends_with("stage2") ? (is_qwen ? 349'175'808 : 335'544'320) : 0));
  const auto memory = train::plan_memory(run, model, {.num_ranks = 8, .num_local_ranks = 8});
  CHECK(memory.frozen_weights_bytes > 16'000'000'000);
  CHECK(memory.encoder_bytes > 0);
}

TEST_CASE("the LLaMA-2 run differs from the Vicuna run in two paths") {
  auto run = read_run("configs/runs/vision_stage1_llama2_7b.yaml");
  const auto published = read_run(kPublishedRun);
  CHECK(run.output_dir != published.output_dir);
  CHECK(run.model.weights.language_model != published.model.weights.language_model);
  run.output_dir = published.output_dir;
  run.model.weights.language_model = published.model.weights.language_model;
  CHECK(config::dump(run) == config::dump(published));
}

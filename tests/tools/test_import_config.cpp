// From the original's configuration to a run of ours, as a user would go.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"

using namespace vllama;
using Catch::Contains;

namespace {

// {0} is the folder of a tiny world.
constexpr const char* kReference = R"(model:
  arch: video_llama
  model_type: pretrain_vicuna
  image_size: 28
  vit_precision: fp32
  vit_ckpt: {0}/weights/eva_vit_g.pth
  q_former_model: {0}/weights/blip2_qformer.pth
  llama_model: {0}/weights/llama
  num_query_token: 3
  num_video_query_token: 4
  frozen_llama_proj: False
  frozen_video_Qformer: False
  fusion_head_layers: 2
datasets:
  webvid:
    build_info: {{anno_dir: {0}/annotations, videos_dir: {0}/videos}}
    vis_processor: {{train: {{name: alpro_video_train, n_frms: 3, image_size: 28}}}}
    text_processor: {{train: {{name: blip_caption}}}}
run:
  lr_sched: linear_warmup_cosine_lr
  init_lr: 1e-3
  min_lr: 1e-4
  weight_decay: 0.05
  max_epoch: 1
  iters_per_epoch: 2
  batch_size_train: 2
  num_workers: 0
  seed: 42
  output_dir: {0}/run
  device: cpu
)";

// Sizes that the original has as constants.
constexpr const char* kImportedSizes = R"(include: ours.yaml
model:
  vision:
    encoder: {width: 16, num_blocks: 2, num_heads: 2, mlp_width: 32}
    image_q_former: {num_layers: 2, width: 16, num_heads: 2, mlp_width: 32}
    video_q_former: {num_layers: 2, width: 16, num_heads: 2, mlp_width: 32}
)";

}  // namespace

TEST_CASE("program: an imported configuration trains") {
  const test::TinyWorld world;
  const std::string folder = world.path("").parent_path().string();
  write_file_atomically(world.path("reference.yaml"), fmt::format(kReference, folder));
  write_file_atomically(world.path("sized.yaml"), kImportedSizes);
  const auto imported = test::run_program(
      fmt::format("import-config '{0}/reference.yaml' --output '{0}/ours.yaml'", folder));
  CAPTURE(imported.output);
  REQUIRE(imported.status == 0);
  CHECK_THAT(imported.output, Contains("reference.yaml:13: model.fusion_head_layers: no effect"));
  const auto dry = test::run_program(fmt::format("train '{}/sized.yaml' --dry-run", folder));
  CAPTURE(dry.output);
  CHECK(dry.status == 0);
  CHECK(test::run_program(fmt::format("train '{}/sized.yaml'", folder)).status == 0);
}

TEST_CASE("program: a published configuration is not imported before its values are chosen") {
  const test::TinyWorld world;
  const auto file = world.path("published.yaml");
  write_file_atomically(file, "model:\n  llama_model: \"a/\" or \"b/\"\n");
  const auto output = world.path("ours.yaml");
  const auto outcome = test::run_program(
      fmt::format("import-config '{}' --output '{}'", file.string(), output.string()));
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.output, Contains("published.yaml:2: 'llama_model'") && Contains("'a/', 'b/'"));
  CHECK_FALSE(std::filesystem::exists(output));
  CHECK(test::run_program("import-config /nowhere.yaml").status == 2);
}

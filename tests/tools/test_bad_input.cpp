// Mistakes a user can make: each ends with status 2 before training, and a message that names the
// place.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <functional>

#include "core/files.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"

using namespace vllama;
using Catch::Contains;

namespace {

// The world after one thing in it was broken, and what the program says to it.
class BrokenWorld : public test::TinyWorld {
 public:
  void refuses(const std::vector<std::string>& named, const std::string& more = "") const {
    const auto config = test::write_config(run("run"), path("run.yaml"));
    const auto outcome = test::run_program("train '" + config.string() + "' " + more);
    CAPTURE(outcome.output);
    CHECK(outcome.status == 2);
    for (const std::string& text : named) CHECK_THAT(outcome.output, Contains(text));
    CHECK_FALSE(std::filesystem::exists(path("run/metrics.jsonl")));
  }
  void cut(const std::string& file, std::uintmax_t size) const {
    std::filesystem::resize_file(path(file), size);
  }
};

}  // namespace

TEST_CASE("bad input: configuration") {
  const BrokenWorld world;
  world.refuses({"training.batchsize", "did you mean 'batch_size'"}, "--set training.batchsize=3");
  world.refuses({"training.batch_size", "whole number"}, "--set training.batch_size=many");
  world.refuses({"training.batch_size", "at least 1"}, "--set training.batch_size=0");
  world.refuses({"model.precision", "bf16, fp32"}, "--set model.precision=fp8");
  world.refuses({"--set nonsense"}, "--set nonsense");
  const auto outcome = test::run_program("train /nowhere/run.yaml");
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.output, Contains("/nowhere/run.yaml"));
  write_file_atomically(world.path("broken.yaml"), "seed: 1\noutput_dir: [\n");
  const auto broken = test::run_program("train '" + world.path("broken.yaml").string() + "'");
  CHECK(broken.status == 2);
  CHECK_THAT(broken.output, Contains("broken.yaml:"));
}

TEST_CASE("bad input: names that no file can have") {
  const BrokenWorld world;
  const std::string name(300, 'n');
  for (const char* key :
       {"output_dir", "data.sets.0.annotations", "data.sets.0.media_root",
        "model.weights.language_model", "model.weights.vision_encoder", "model.weights.q_former",
        "model.weights.saved_step", "model.weights.vision_checkpoint", "data.captions.prompt_file"})
    world.refuses({name}, fmt::format("--set {}={}", key, name));
  for (const std::string command :
       {"train", "inspect", "chat", "show", "eval", "export --format safetensors --output x"}) {
    const auto outcome = test::run_program(fmt::format("{} '{}'", command, name));
    CAPTURE(command, outcome.output);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.output, !Contains("filesystem error"));
  }
  const auto config = test::write_config(world.run("run"), world.path("run.yaml"));
  const auto checked =
      test::run_program(fmt::format("check '{}' --set output_dir={}", config.string(), name));
  CAPTURE(checked.output);
  CHECK(checked.status == 2);
  CHECK_THAT(checked.output, Contains("cannot be created: File name too long"));
}

TEST_CASE("bad input: annotations") {
  const BrokenWorld world;
  const auto table = world.path("annotations/clips.csv");
  write_file_atomically(table, "videoid,name\n1,a\n");
  world.refuses({"clips.csv", "page_dir"});
  write_file_atomically(table, "videoid,page_dir,name\n");
  world.refuses({"annotations"});
  write_file_atomically(table, "videoid,page_dir,name\n1,a,\"never closed\n");
  world.refuses({"clips.csv", "2"});
  write_file_atomically(table, "videoid,page_dir,name\n1,a,\n");
  world.refuses({"annotations"});
  std::filesystem::remove_all(world.path("annotations"));
  world.refuses({"annotations"});
}

TEST_CASE("bad input: weight files") {
  const BrokenWorld world;
  SECTION("a .pth cut short") {
    world.cut("weights/eva_vit_g.pth", 5000);
    world.refuses({"eva_vit_g.pth"});
  }
  SECTION("an empty .pth") {
    world.cut("weights/blip2_qformer.pth", 0);
    world.refuses({"blip2_qformer.pth"});
  }
  SECTION("safetensors cut short") {
    world.cut("weights/llama/model.safetensors", 100000);
    world.refuses({"model.safetensors"});
  }
  SECTION("no weights in the folder") {
    std::filesystem::remove(world.path("weights/llama/model.safetensors"));
    world.refuses({"llama"});
  }
  SECTION("a shard that the index names is missing") {
    std::filesystem::rename(world.path("weights/llama/model.safetensors"),
                            world.path("weights/llama/model-00001-of-00002.safetensors"));
    write_file_atomically(
        world.path("weights/llama/model.safetensors.index.json"),
        R"({"weight_map": {"lm_head.weight": "model-00002-of-00002.safetensors"}})");
    world.refuses({"model-00002-of-00002.safetensors"});
  }
  SECTION("another architecture") {
    world.refuses({"eva_vit_g.pth", "blocks.2.attn.qkv.weight"},
                  "--set model.vision.encoder.num_blocks=3");
  }
  SECTION("a config.json without sizes") {
    write_file_atomically(world.path("weights/llama/config.json"), "{}");
    world.refuses({"config.json", "vocab_size"});
  }
}

TEST_CASE("bad input: tokenizer") {
  const BrokenWorld world;
  SECTION("damaged") {
    world.cut("weights/llama/tokenizer.model", 1000);
    world.refuses({"tokenizer.model"});
  }
  SECTION("of another model") {
    const std::string config = read_file(world.path("weights/llama/config.json"));
    std::string other = config;
    other.replace(other.find("32000"), 5, "31000");
    write_file_atomically(world.path("weights/llama/config.json"), other);
    world.refuses({"32000 pieces", "31000 rows"});
  }
}

TEST_CASE("bad input: an output folder that cannot be written") {
  const BrokenWorld world;
  world.refuses({"output_dir"}, "--set output_dir=/proc/vllama");
}

// vllama export as a user calls it: what it refuses, and that nothing is half written.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "checkpoint/step_directory.h"
#include "core/files.h"
#include "models/random_weights.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"
#include "train/train.h"
#include "weights/tensor_source.h"
#include "weights/write.h"

using namespace vllama;
using namespace vllama::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

class ExportWorld : public TinyWorld {
 public:
  ExportWorld() : config_(run("run")) { REQUIRE(train::train(config_, {}) == 0); }

  Outcome exported(const std::string& arguments, const std::string& before = "") const {
    return run_program(fmt::format("export {}", arguments), before);
  }
  // Ends with 2, says all of this, and leaves nothing behind.
  void refuses(const std::string& arguments, const std::vector<std::string>& named) const {
    const auto before = everything();
    const auto outcome = exported(arguments);
    CAPTURE(arguments, outcome.output);
    CHECK(outcome.status == 2);
    for (const std::string& text : named) CHECK_THAT(outcome.output, Contains(text));
    CHECK(everything() == before);
  }
  std::string at(const std::string& name) const { return fmt::format("'{}'", path(name).string()); }

  // Names and sizes.
  std::map<std::string, std::uintmax_t> everything() const {
    std::map<std::string, std::uintmax_t> found;
    for (const auto& entry : fs::recursive_directory_iterator(path("")))
      found[entry.path().string()] = entry.is_regular_file() ? entry.file_size() : 0;
    return found;
  }
  const train::RunConfig& config() const { return config_; }

 private:
  train::RunConfig config_;
};

// The trained tensors of the last step, changed and saved as another step.
void save_changed(const ExportWorld& world, const std::string& run,
                  const std::function<void(weights::NamedTensors&)>& change) {
  auto step = checkpoint::load_step(world.path("run/checkpoints/step_000006")).contents;
  change(step.tensors.at("trainable"));
  checkpoint::save_step(world.path(run + "/checkpoints"), 6, step);
}

}  // namespace

TEST_CASE("export: each form, and --force") {
  const ExportWorld world;
  const std::vector<std::string> forms = {"--format safetensors --output " + world.at("st"),
                                          "--format pth --output " + world.at("new/m.pth"),
                                          "--bundle " + world.at("bundle") + " --base copy"};
  for (const std::string& form : forms) {
    const auto outcome = world.exported(world.at("run/best") + " " + form);
    CAPTURE(outcome.output);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.output, Contains("exported 58 tensors"));
    world.refuses(world.at("run") + " " + form, {"exists: choose another output", "--force"});
    CHECK(world.exported(world.at("run") + " --force " + form).status == 0);
  }
  const auto described = run_program("inspect " + world.at("st/trained.safetensors"));
  CHECK_THAT(described.output, Contains("video_query_tokens"));
}

TEST_CASE("export: what cannot be exported") {
  const ExportWorld world;
  const std::string bundle = " --bundle " + world.at("out");
  world.refuses(world.at("nowhere") + bundle, {"nowhere' does not exist"});
  world.refuses(world.at("videos") + bundle, {"neither a run's folder", "nor a saved step"});
  world.refuses(world.at("annotations/clips.csv") + bundle, {"clips.csv' cannot be exported"});
  world.refuses(world.at("run") + " --format onnx --output " + world.at("out"), {"onnx"});
  world.refuses(world.at("run"), {"--format", "--bundle"});
  world.refuses(world.at("run") + " --format pth", {"--output PATH"});
  world.refuses(world.at("run") + " --format pth --output " + world.at("out") + bundle,
                {"exclude"});
  world.refuses(world.at("run") + bundle + " --set model.precisoin=fp32", {"precision"});

  fs::create_directories(world.path("mine"));
  write_file_atomically(world.path("mine/thesis.txt"), "irreplaceable");
  world.refuses(world.at("run") + " --force --bundle " + world.at("mine"),
                {"no export has made, and is never replaced"});
  world.refuses(world.at("run") + " --force --format pth --output " + world.at("mine"),
                {"exists and is no file"});
}

TEST_CASE("export: damaged steps") {
  const ExportWorld world;
  const std::string bundle = " --bundle " + world.at("out");
  const fs::path file = world.path("run/checkpoints/step_000006/trainable.safetensors");
  std::string content = read_file(file);
  content.back() ^= 1;
  write_file_atomically(file, content);
  world.refuses(world.at("run/checkpoints/step_000006") + bundle,
                {"step_000006' cannot be used", "trainable.safetensors", "use an earlier step"});
  const auto outcome = world.exported(world.at("run") + bundle);
  CAPTURE(outcome.output);
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.output, Contains("step_000006' is damaged and is skipped"));
  CHECK_THAT(read_file(world.path("out/bundle.yaml")), Contains("step: 4"));
}

TEST_CASE("export: tensors that do not fit are all named") {
  const ExportWorld world;
  const std::string bundle = " --bundle " + world.at("out");
  save_changed(world, "more",
               [](auto& tensors) { tensors["llama_proj.scale"] = tensors.at("llama_proj.bias"); });
  world.refuses(world.at("more") + bundle, {"unexpected (1)", "llama_proj.scale"});
  save_changed(world, "fewer", [](auto& tensors) { tensors.erase("llama_proj.bias"); });
  world.refuses(world.at("fewer") + bundle, {"missing (1)", "llama_proj.bias"});
}

TEST_CASE("export: another base, another branch") {
  const ExportWorld world;
  const std::string bundle = " --bundle " + world.at("out");
  models::write_random_weights(
      {.vision = world.config().model.vision,
       .language =
           {.width = 32, .mlp_width = 32, .num_layers = 2, .num_heads = 2, .max_positions = 64}},
      32000, 1, world.path("wide"));
  fs::copy_file(world.path("weights/llama/tokenizer.model"),
                world.path("wide/llama/tokenizer.model"));
  world.refuses(world.at("run") + bundle +
                    " --set model.weights.language_model=" + world.path("wide/llama").string(),
                {"llama_proj.weight: expected [32, 16], the file has [16, 16]"});
  world.refuses(world.at("run") + bundle + " --set model.weights.q_former=/nowhere/q.pth",
                {"model.weights.q_former: there is no file '/nowhere/q.pth'", "--set"});

  const auto step = checkpoint::load_step(world.path("run/checkpoints/step_000006"));
  weights::NamedTensors audio;
  for (const auto& [name, tensor] : step.contents.tensors.at("trainable"))
    audio["audio" + name.substr(5)] = tensor;
  weights::Map content;
  content.set("model", weights::to_map(audio));
  weights::write_pth(world.path("audio.pth"), content);
  train::RunConfig config = world.config();
  config.model.weights.vision_checkpoint = world.path("audio.pth");
  write_config(config, world.path("other.yaml"));
  world.refuses(world.at("other.yaml") + bundle,
                {"model.weights.vision_checkpoint", "audio.pth", "a checkpoint of the audio branch",
                 "model.weights.audio_checkpoint"});
}

TEST_CASE("export: a full disk leaves nothing behind and what was there in place") {
  const ExportWorld world;
  REQUIRE(world.exported(world.at("run") + " --format pth --output " + world.at("m.pth")).status ==
          0);
  REQUIRE(world.exported(world.at("run") + " --bundle " + world.at("bundle")).status == 0);
  const auto before = world.everything();
  const std::vector<std::string> forms = {"--format pth --output " + world.at("m.pth"),
                                          "--bundle " + world.at("bundle") + " --base copy"};
  for (const std::string& form : forms) {
    // 16 KiB per file, without the signal that comes with it.
    const auto outcome =
        world.exported(world.at("run") + " --force " + form, "trap '' XFSZ; ulimit -f 32; ");
    CAPTURE(outcome.output);
    CHECK(outcome.status == 1);
    CHECK(world.everything() == before);
  }
}

// A run is used from another folder than it was started in, and after it was moved.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "core/files.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"
#include "train/run/recorded_config.h"

using namespace vllama;
using namespace vllama::test;
using Catch::Contains;
namespace fs = std::filesystem;

namespace {

// A project with relative paths: weights, data and RUN.yaml in one folder, which commands run in.
class Project : public TinyWorld {
 public:
  Project() {
    train::RunConfig config = run("run");
    config.output_dir = "runs/a";
    config.model.weights.vision_encoder = "weights/eva_vit_g.pth";
    config.model.weights.q_former = "weights/blip2_qformer.pth";
    config.model.weights.language_model = "weights/llama";
    config.data.sets[0].annotations = "annotations";
    config.data.sets[0].media_root = "videos/";
    write_config(config, path("run.yaml"));
    const Outcome trained = in("", "train run.yaml");
    INFO(trained.output);
    REQUIRE(trained.status == 0);
    fs::remove_all(path("runs/a/checkpoints/step_000006"));
  }

  // From a folder of the world.
  Outcome in(const std::string& folder, const std::string& arguments,
             const std::string& environment = "") const {
    return run_program(arguments, fmt::format("cd '{}'; {} ", path(folder).string(), environment));
  }
  void succeeds(const std::string& folder, const std::string& arguments,
                const std::string& said = "") const {
    const Outcome outcome = in(folder, arguments);
    CAPTURE(folder, arguments, outcome.output);
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.output, Contains(said) && !Contains("not as the checkpoint"));
  }
  void refuses(const std::string& folder, const std::string& arguments,
               const std::vector<std::string>& said, const std::string& environment = "") const {
    const Outcome outcome = in(folder, arguments, environment);
    CAPTURE(folder, arguments, outcome.output);
    CHECK(outcome.status == 2);
    for (const std::string& text : said) CHECK_THAT(outcome.output, Contains(text));
  }

  // Everything that a run is used for.
  void check_all_uses(const std::string& folder, const std::string& run) const {
    const std::string ask = " --device cpu --max-new-tokens 2 --prompt x";
    succeeds(folder, "chat " + run + ask);
    succeeds(folder, "chat " + run + "/best" + ask);
    succeeds(folder, "chat " + run + "/checkpoints/step_000002/state.json" + ask);
    succeeds(folder, "inspect " + run + "/best", "video_query_tokens");
    succeeds(folder, "inspect " + run, "step_000004");
    succeeds(folder, "show " + run + " --step 2 --losses --output " + at("shown"), "step_000004");
    succeeds(folder, "show " + run + "/config.yaml --sample 0 --output " + at("shown"));
    succeeds(folder, "check " + run);
    succeeds(folder, "export " + run + " --force --bundle " + at("bundle"), "exported");
    write_file_atomically(path("eval.yaml"),
                          fmt::format("output_dir: {}\nmodel: {}\ndevice: cpu\nlosses:\n- sets:\n"
                                      "  - {{name: clips, format: webvid, annotations: {}, "
                                      "media_root: {}, num_frames: 3}}\n",
                                      at("results"), run, at("annotations"), at("videos")));
    succeeds(folder, "eval " + at("eval.yaml") + " --force", "report:");
    succeeds(folder, "train " + run + "/config.yaml", "after 4 steps");
    CHECK(fs::exists(path(folder) / run / "checkpoints/step_000006"));
  }
  std::string at(const std::string& name) const { return fmt::format("'{}'", path(name).string()); }
};

}  // namespace

TEST_CASE("moved runs: used from another working folder") {
  const Project project;
  const std::string recorded = read_file(project.path("runs/a/config.yaml"));
  CHECK_THAT(recorded, Contains("output_dir: " + project.path("runs/a").string()) &&
                           Contains("media_root: " + project.path("videos").string()) &&
                           Contains("q_former: " + project.path("weights/blip2").string()));
  CHECK(recorded == read_file(project.path("runs/a/checkpoints/step_000004/config.yaml")));
  project.check_all_uses("videos", "../runs/a");
}

TEST_CASE("moved runs: the folder of the run alone") {
  const Project project;
  fs::create_directories(project.path("kept/deep"));
  fs::rename(project.path("runs/a"), project.path("kept/deep/b"));
  project.check_all_uses("kept", "deep/b");
  CHECK_FALSE(fs::exists(project.path("runs/a")));
  CHECK(fs::exists(project.path("kept/deep/b/checkpoints/step_000006")));
}

TEST_CASE("moved runs: with everything around it") {
  const Project project;
  fs::create_directories(project.path("new"));
  for (const char* name : {"runs", "weights", "annotations", "videos", "run.yaml"})
    fs::rename(project.path(name), project.path("new") / name);
  project.succeeds("", "chat new/runs/a --device cpu --max-new-tokens 2 --prompt x");
  project.succeeds("", "show new/runs/a --step 2 --output shown");
  project.succeeds("new", "train run.yaml", "after 4 steps");
}

TEST_CASE("moved runs: what is missing is told, with what it was and where it was looked for") {
  const Project project;
  fs::rename(project.path("runs/a"), project.path("b"));
  fs::rename(project.path("weights/eva_vit_g.pth"), project.path("eva.pth"));
  const std::string chat = "chat b --device cpu --max-new-tokens 2 --prompt x";
  project.refuses("", chat,
                  {"model.weights.vision_encoder: " + project.at("weights/eva_vit_g.pth") + " (",
                   " bytes, SHA-256 ",
                   "looked for at " + project.at("weights/eva_vit_g.pth") + " and at '", "--set"});
  project.succeeds("", chat + " --set model.weights.vision_encoder=eva.pth");
  project.succeeds("", "train b/config.yaml --set model.weights.vision_encoder=eva.pth",
                   "after 4 steps");
}

TEST_CASE("moved runs: a copy goes on by itself") {
  const Project project;
  fs::copy(project.path("runs/a"), project.path("copy"), fs::copy_options::recursive);
  project.succeeds("", "train copy", "after 4 steps");
  CHECK(fs::exists(project.path("copy/checkpoints/step_000006")));
  CHECK_FALSE(fs::exists(project.path("runs/a/checkpoints/step_000006")));
}

TEST_CASE("moved runs: starting points are named as users name checkpoints") {
  const Project project;
  for (const std::string key : {"vision_checkpoint", "saved_step"})
    for (const std::string name :
         {"runs/a", "runs/a/best", "runs/a/checkpoints", "runs/a/checkpoints/step_000002",
          "runs/a/checkpoints/step_000002/trainable.safetensors"}) {
      const std::string more = " --set output_dir=new --set model.weights." + key + "=" + name;
      project.succeeds("", "check run.yaml" + more);
      if (name.ends_with("best")) project.succeeds("", "train run.yaml --dry-run" + more);
    }
  project.refuses("", "train run.yaml --set output_dir=new --set model.weights.saved_step=videos",
                  {"model.weights.saved_step", "videos"});
  project.succeeds("", "train run.yaml --set output_dir=new --resume runs/a/best --dry-run",
                   "resumed from 'runs/a/checkpoints/step_00000");
}

TEST_CASE("moved runs: the home folder and variables in paths") {
  const Project project;
  const std::string train = "train run.yaml --dry-run --set data.sets.0.annotations=";
  const std::string home = fmt::format("HOME='{}'", project.path("").string());
  for (const std::string path :
       {"'~/annotations'", "'$HOME/annotations'", "'${HOME}/annotations'"}) {
    const Outcome outcome = project.in("", train + path, "export " + home + ";");
    CAPTURE(path, outcome.output);
    CHECK(outcome.status == 0);
  }
  project.refuses("", train + "'$UNSET/annotations'",
                  {"--set data.sets.0.annotations", "UNSET, which is not set", "$$"},
                  "unset UNSET;");
  project.refuses("", "train run.yaml --set 'output_dir=~nobody/x'", {"output_dir", "'~nobody'"});
}

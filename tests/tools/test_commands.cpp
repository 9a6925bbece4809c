// The program from outside: help, exit codes, signals, a full disk.
#include <signal.h>

#include <catch2/catch.hpp>

#include "checkpoint/step_directory.h"
#include "core/files.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"

using namespace vllama;
using Catch::Contains;

namespace {

std::string training(const std::filesystem::path& config, const std::string& more = "") {
  return "train '" + config.string() + "' " + more;
}

std::string weights_of(const test::TinyWorld& world, const std::string& run,
                       const std::string& step) {
  return read_file(world.path(run) / "checkpoints" / step / "trainable.safetensors");
}

}  // namespace

TEST_CASE("program: every command has help with an example") {
  CHECK(test::run_program("--help").status == 0);
  for (const char* command : {"train", "check", "chat", "show", "convert", "import-config",
                              "inspect", "make-weights", "bench"}) {
    const auto help = test::run_program(std::string(command) + " --help");
    CHECK(help.status == 0);
    CHECK_THAT(help.output, Contains("Example:"));
  }
  CHECK(test::run_program("").status == 2);
  CHECK(test::run_program("fly").status == 2);
  CHECK(test::run_program("train").status == 2);
}

TEST_CASE("program: a dry run reports and trains nothing") {
  const test::TinyWorld world;
  const auto config = test::write_config(world.run("dry"), world.path("dry.yaml"));
  const auto outcome = test::run_program(training(config, "--dry-run"));
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.output, Contains("Parameters") && Contains("language_model") &&
                                 Contains("passes") && Contains("Memory, estimated"));
  CHECK_FALSE(std::filesystem::exists(world.path("dry")));
}

TEST_CASE("program: SIGTERM saves and ends with 143; the same command finishes the same run") {
  const test::TinyWorld world;
  train::RunConfig run = world.run("whole");
  run.training.steps_per_epoch = 60;
  run.checkpoints.every_steps = 1000;
  const auto config = test::write_config(run, world.path("run.yaml"));
  REQUIRE(test::run_program(training(config)).status == 0);
  const std::string stopped =
      training(config, "--set output_dir='" + world.path("stopped").string() + "'");
  {
    test::BackgroundProgram program(stopped);
    test::wait_for_lines(world.path("stopped/metrics.jsonl"), 10);
    program.signal(SIGTERM);
    CHECK(program.wait() == 128 + SIGTERM);
  }
  REQUIRE(test::run_program(stopped).status == 0);
  CHECK(weights_of(world, "stopped", "step_000120") == weights_of(world, "whole", "step_000120"));
  // What checkpoints are compared by counts the steps before the stop too.
  const auto state = [&world](const std::string& name) {
    return read_file(world.path(name) / "checkpoints/step_000120/state.json");
  };
  CHECK(state("stopped") == state("whole"));
  CHECK(std::filesystem::exists(world.path("stopped/loss.svg")));
}

TEST_CASE("program: a full disk while saving ends the run with 1 and leaves the last checkpoint") {
  const test::TinyWorld world;
  train::RunConfig run = world.run("full");
  const auto config = test::write_config(run, world.path("run.yaml"));
  REQUIRE(test::run_program(training(config)).status == 0);
  const auto checkpoint = world.path("full/checkpoints/step_000006");
  REQUIRE(std::filesystem::exists(checkpoint));
  // A limit on file sizes fails writes as a full disk does, on any machine.
  const auto outcome =
      test::run_program(training(config, "--set training.num_epochs=4 --accept-changes"),
                        "trap '' XFSZ; ulimit -f 40; ");
  CHECK(outcome.status == 1);
  CHECK_THAT(outcome.output,
             Contains("cannot save the checkpoint of step 8: cannot write") &&
                 Contains("optimizer.safetensors': File too large") &&
                 Contains("the checkpoint '" + checkpoint.string() + "' is intact"));
  CHECK_FALSE(checkpoint::step_damage(checkpoint));
  CHECK(
      test::run_program(training(config, "--set training.num_epochs=4 --accept-changes")).status ==
      0);
  CHECK(std::filesystem::exists(world.path("full/checkpoints/step_000012")));
}

TEST_CASE("program: a second one does not save into the folder of a run") {
  const test::TinyWorld world;
  train::RunConfig run = world.run("busy");
  run.training.steps_per_epoch = 10'000;
  const auto config = test::write_config(run, world.path("run.yaml"));
  test::BackgroundProgram program(training(config));
  test::wait_for_lines(world.path("busy/metrics.jsonl"), 3);
  const auto outcome = test::run_program(training(config));
  CHECK(outcome.status == 2);
  CHECK_THAT(outcome.output, Contains("another process is saving into"));
  CHECK_THAT(read_file(world.path("busy/log.txt")), !Contains("another process"));
  program.signal(SIGTERM);
  CHECK(program.wait() == 128 + SIGTERM);
  for (const auto& step : checkpoint::list_steps(world.path("busy/checkpoints")))
    CHECK_FALSE(checkpoint::step_damage(step.path));
}

TEST_CASE("program: threads that wait sleep, unless the user has said how they wait") {
  const auto policy = [](const std::string& variables) {
    return test::run_program("inspect /nowhere",
                             "unset OMP_WAIT_POLICY GOMP_SPINCOUNT; export "
                             "OMP_DISPLAY_ENV=verbose; " +
                                 variables)
        .output;
  };
  CHECK_THAT(policy(""),
             Contains("OMP_WAIT_POLICY = 'PASSIVE'") && Contains("GOMP_SPINCOUNT = '0'"));
  CHECK_THAT(policy("export OMP_WAIT_POLICY=active; "), Contains("OMP_WAIT_POLICY = 'ACTIVE'"));
  CHECK_THAT(policy("export GOMP_SPINCOUNT=77; "), Contains("GOMP_SPINCOUNT = '77'"));
  // The words of the command line arrive as they were given.
  CHECK_THAT(test::run_program("inspect '/nowhere/a  b'").output, Contains("'/nowhere/a  b'"));
}

TEST_CASE("program: inspect lists every kind of weight file") {
  const test::TinyWorld world;
  for (const char* file : {"weights/eva_vit_g.pth", "weights/blip2_qformer.pth", "weights/llama"}) {
    const auto outcome = test::run_program("inspect '" + world.path(file).string() + "'");
    CHECK(outcome.status == 0);
    CHECK_THAT(outcome.output, Contains("weight"));
  }
  CHECK(test::run_program("inspect /nowhere").status == 2);
}

TEST_CASE("program: convert writes our annotation format and says what it left out") {
  const test::TemporaryFolder folder;
  const auto source = folder.path() / "chat.json", output = folder.path() / "out.jsonl";
  write_file_atomically(
      source, R"([{"video":"a.mp4","QA":[{"q":"What?","a":"That."}]},{"video":"b.mp4","QA":[]}])");
  const auto convert = [&](const std::string& format, const std::string& more = "") {
    return test::run_program("convert --format " + format + " --annotations '" + source.string() +
                             "' --media-root videos --output '" + output.string() + "' " + more);
  };
  const auto outcome = convert("videochat_instruct");
  CHECK(outcome.status == 0);
  CHECK_THAT(outcome.output, Contains("1 converted to") && Contains("1 invalid, left out") &&
                                 Contains("1 no_turns") && Contains("element 1"));
  CHECK(
      read_file(output) ==
      R"({"id":"a.mp4","messages":[{"role":"user","content":[{"video":"a.mp4"},{"text":"What?"}]},)"
      R"({"role":"assistant","content":"That."}]})"
      "\n");
  CHECK(convert("llava_instruct").status == 2);
  CHECK(convert("videochat_instruct", "--image-prefix P_").status == 2);
  CHECK_THAT(convert("mp3").output, Contains("mp3") && Contains("videochat_instruct"));
  CHECK(read_file(output).starts_with(R"({"id":"a.mp4")"));
}

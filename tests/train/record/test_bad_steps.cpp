#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "tests/support/fixtures.h"
#include "train/record/bad_steps.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;

namespace {

BadStep bad_example(std::int64_t step, StepProblem problem = StepProblem::nonfinite_loss) {
  BadStep bad;
  bad.step = step;
  bad.problem = problem;
  bad.loss = std::nan("");
  bad.gradient_norm = 2;
  bad.skipped = true;
  bad.samples = {{"clips", "c1", {"v/c1.mp4"}}, {"pictures", "p", {"p.jpg", "p.wav"}}};
  return bad;
}

void write_bad_steps(const std::filesystem::path& path, std::int64_t first, std::int64_t last) {
  BadStepLog log(path, first - 1);
  for (std::int64_t step = first; step <= last; ++step) log.write(bad_example(step));
}

std::vector<std::int64_t> bad_steps_in(const std::filesystem::path& path) {
  std::vector<std::int64_t> steps;
  for (const BadStep& step : read_bad_steps(path)) steps.push_back(step.step);
  return steps;
}

}  // namespace

TEST_CASE("bad steps: a line has the documented keys, and reads back") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "bad_steps.jsonl";
  BadStep spike = bad_example(7, StepProblem::loss_spike);
  spike.loss = 9.5;
  spike.loss_z = 8.25;
  spike.skipped = false;
  {
    BadStepLog log(path, 0);
    log.write(bad_example(3));
    log.write(spike);
  }
  CHECK(
      read_file(path) ==
      R"({"step":3,"reason":"nonfinite_loss","loss":null,"grad_norm":2.0,"action":"skipped","samples":[{"dataset":"clips","id":"c1","paths":["v/c1.mp4"]},{"dataset":"pictures","id":"p","paths":["p.jpg","p.wav"]}]})"
      "\n"
      R"({"step":7,"reason":"loss_spike","loss":9.5,"grad_norm":2.0,"z_score":8.25,"action":"kept","samples":[{"dataset":"clips","id":"c1","paths":["v/c1.mp4"]},{"dataset":"pictures","id":"p","paths":["p.jpg","p.wav"]}]})"
      "\n");
  const auto read = read_bad_steps(path);
  REQUIRE(read.size() == 2);
  CHECK(std::isnan(read[0].loss));
  CHECK_FALSE(read[0].loss_z);
  CHECK(read[0].skipped);
  CHECK(read[0].samples == bad_example(3).samples);
  CHECK(read[1].problem == StepProblem::loss_spike);
  CHECK(read[1].loss_z == 8.25);
  CHECK_FALSE(read[1].skipped);
}

TEST_CASE("bad steps: names of problems are each other's inverse") {
  for (const StepProblem problem : {StepProblem::no_targets, StepProblem::nonfinite_loss,
                                    StepProblem::nonfinite_gradient, StepProblem::loss_spike})
    CHECK(problem_named(problem_name(problem)) == problem);
  CHECK_FALSE(problem_named("bad_luck"));
}

TEST_CASE("bad steps: a resumed run forgets the steps it repeats, and what a crash tore") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "bad_steps.jsonl";
  write_bad_steps(path, 1, 6);
  write_bad_steps(path, 4, 5);
  CHECK(bad_steps_in(path) == std::vector<std::int64_t>{1, 2, 3, 4, 5});
  const std::string whole = read_file(path);
  const std::size_t start_of_last = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t length = start_of_last; length < whole.size(); length += 23) {
    write_file_atomically(path, whole.substr(0, length));
    CHECK(bad_steps_in(path).size() == 4);
    write_bad_steps(path, 5, 5);
    CHECK(read_file(path) == whole);
  }
  write_file_atomically(path, "{}\n[1]\n" + whole + "{\"step\": 2}\n" + std::string(50, '\0'));
  BadStepLog(path, 5);
  CHECK(read_file(path) == whole);
}

TEST_CASE("bad steps: the file is bounded per problem, also over resumes") {
  const test::TemporaryFolder folder;
  const auto whole = folder.path() / "whole.jsonl", pieces = folder.path() / "pieces.jsonl";
  constexpr std::int64_t kMax = BadStepLog::kMaxStepsPerProblem;
  spdlog::set_level(spdlog::level::off);
  {
    BadStepLog log(whole, 0);
    for (std::int64_t step = 1; step <= kMax + 50; ++step)
      log.write(bad_example(step, StepProblem::loss_spike));
    log.write(bad_example(kMax + 51));
  }
  for (std::int64_t done = 0; done <= kMax + 50; done += 30) {
    BadStepLog log(pieces, done);
    for (std::int64_t step = done + 1; step <= std::min(done + 40, kMax + 50); ++step)
      log.write(bad_example(step, StepProblem::loss_spike));
  }
  BadStepLog(pieces, kMax + 50).write(bad_example(kMax + 51));
  spdlog::set_level(spdlog::level::info);
  CHECK(read_bad_steps(whole).size() == kMax + 1);
  CHECK(read_file(pieces) == read_file(whole));
}

TEST_CASE("bad steps: a reader names file and line of what it cannot read") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "bad_steps.jsonl";
  write_bad_steps(path, 1, 1);
  const std::string good = read_file(path);
  const std::string head = R"({"step":2,"reason":"no_targets","loss":null,"grad_norm":null,)";
  for (const std::string& bad :
       {std::string("{"), std::string("[]"), std::string("\xff"), std::string(200000, '['),
        std::string(R"({"step":0})"), std::string(R"({"step":1e9})"),
        std::string(R"({"step":2,"reason":"luck"})"), head + R"("action":"none","samples":[]})",
        head + R"("action":"kept"})", head + R"("action":"kept","samples":[1]})",
        head + R"("action":"kept","samples":[{"dataset":1,"id":"a","paths":[]}]})"}) {
    write_file_atomically(path, good + bad + "\n");
    CHECK_THROWS_AS(read_bad_steps(path), UserError);
    CHECK_THROWS_WITH(read_bad_steps(path), Contains("bad_steps.jsonl:2: not a bad step"));
  }
  CHECK_THROWS_AS(read_bad_steps(folder.path() / "none"), UserError);
}

TEST_CASE("bad steps: ids in broken UTF-8 are written readably, and a full disk stops the run") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "bad_steps.jsonl";
  BadStep bad = bad_example(1);
  bad.samples = {{"clips", "caf\xe9\n\x1b[2J", {"a\xff.mp4"}}};
  BadStepLog(path, 0).write(bad);
  CHECK(read_bad_steps(path).at(0).samples.size() == 1);
  const auto full = folder.path() / "full.jsonl";
  std::filesystem::create_symlink("/dev/full", full);
  BadStepLog log(full, 0);
  CHECK_THROWS_AS(log.write(bad), RunFailure);
}

TEST_CASE("bad steps: the log names reason, numbers and the first samples") {
  BadStep bad = bad_example(12, StepProblem::loss_spike);
  bad.loss = 9.5;
  bad.loss_z = 8.25;
  CHECK(bad_step_text(bad) ==
        "step 12 was skipped: loss_spike: loss 9.5, gradient norm 2, z-score 8.25; samples: "
        "clips/c1 pictures/p");
  bad.skipped = false;
  bad.samples.assign(100, {"clips", "a\x1b[2J", {}});
  CHECK_THAT(bad_step_text(bad),
             Contains("step 12 looks wrong") && Contains("a\\x1b[2J") && Contains("and 84 more"));
}

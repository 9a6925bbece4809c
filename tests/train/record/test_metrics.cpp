#include <catch2/catch.hpp>
#include <cmath>
#include <limits>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "tests/support/fixtures.h"
#include "train/record/metrics.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;

namespace {

StepMetrics example(std::int64_t step) {
  StepMetrics metrics;
  metrics.step = step;
  metrics.loss = 1.0 / 3 + static_cast<double>(step);
  metrics.learning_rate = 9.81e-5;
  metrics.gradient_norm = 0.125;
  metrics.num_samples = 8;
  metrics.num_tokens = 1234;
  metrics.num_target_tokens = 321;
  metrics.seconds = 0.75;
  metrics.data_wait_seconds = 0.01;
  return metrics;
}

std::vector<std::int64_t> steps_in(const std::filesystem::path& path) {
  std::vector<std::int64_t> steps;
  for (const StepMetrics& metrics : read_metrics(path)) steps.push_back(metrics.step);
  return steps;
}

// Says nothing of the lines that a resume removes, which a test does by the hundred.
struct QuietLog {
  QuietLog() { spdlog::set_level(spdlog::level::off); }
  ~QuietLog() { spdlog::set_level(spdlog::level::info); }
};

void write_steps(const std::filesystem::path& path, std::int64_t first, std::int64_t last) {
  MetricsWriter writer(path, first - 1);
  for (std::int64_t step = first; step <= last; ++step) writer.write(example(step));
}

}  // namespace

TEST_CASE("a line has the documented keys, and reads back exactly") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  auto second = example(2);
  second.peak_memory_bytes = 81'000'000'000;
  second.dropped = {{"corrupt", 2}, {"no_video_stream", 1}};
  {
    MetricsWriter writer(path, 0);
    writer.write(example(1));
    writer.write(second);
  }
  CHECK(
      read_file(path) ==
      R"({"step":1,"loss":1.3333333333333333,"lr":9.81e-05,"grad_norm":0.125,"samples":8,"tokens":1234,"target_tokens":321,"seconds":0.75,"data_wait_seconds":0.01})"
      "\n"
      R"({"step":2,"loss":2.3333333333333335,"lr":9.81e-05,"grad_norm":0.125,"samples":8,"tokens":1234,"target_tokens":321,"seconds":0.75,"data_wait_seconds":0.01,"peak_memory_bytes":81000000000,"dropped":{"corrupt":2,"no_video_stream":1}})"
      "\n");
  const auto read = read_metrics(path);
  REQUIRE(read.size() == 2);
  CHECK(read[1].loss == second.loss);
  CHECK(read[1].dropped == second.dropped);
  CHECK(read[1].num_dropped() == 3);
  CHECK(read[1].peak_memory_bytes == second.peak_memory_bytes);
  CHECK_FALSE(read[0].peak_memory_bytes.has_value());
}

TEST_CASE("what went wrong in a step, and on several ranks, reads back exactly") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  auto spike = example(1);
  spike.loss_z = 7.5;
  spike.problem = StepProblem::loss_spike;
  auto skipped = example(2);
  skipped.loss = skipped.gradient_norm = std::numeric_limits<double>::quiet_NaN();
  skipped.problem = StepProblem::nonfinite_loss;
  skipped.skipped = true;
  skipped.num_ranks = 4;
  skipped.communication_seconds = 0.125;
  skipped.straggler = {3, 1.5, "data"};
  {
    MetricsWriter writer(path, 0);
    writer.write(spike);
    writer.write(skipped);
  }
  const std::string content = read_file(path);
  CHECK_THAT(content, Contains(R"(,"loss_z":7.5,"problem":"loss_spike"})"
                               "\n"));
  CHECK_THAT(
      content,
      Contains(
          R"(,"problem":"nonfinite_loss","skipped":true,"num_ranks":4,"communication_seconds":0.125,"straggler":{"rank":3,"ratio":1.5,"reason":"data"}})"
          "\n"));
  const auto read = read_metrics(path);
  REQUIRE(read.size() == 2);
  CHECK(read[0].loss_z == 7.5);
  CHECK(read[0].problem == StepProblem::loss_spike);
  CHECK_FALSE(read[0].skipped);
  CHECK_FALSE(read[0].num_ranks);
  CHECK_FALSE(read[0].communication_seconds);
  CHECK_FALSE(read[0].straggler);
  CHECK(read[1].skipped);
  CHECK(read[1].num_ranks == 4);
  CHECK(read[1].communication_seconds == 0.125);
  REQUIRE(read[1].straggler);
  CHECK(read[1].straggler->rank == 3);
  CHECK(read[1].straggler->ratio == 1.5);
  CHECK(read[1].straggler->reason == "data");
  for (const std::string bad : {R"("problem":"luck")", R"("skipped":1)", R"("num_ranks":-1)",
                                R"("straggler":7)", R"("straggler":{"rank":-1})"}) {
    const std::string line = content.substr(0, content.find("\"loss_z\""));
    write_file_atomically(path, line + bad + "}\n");
    CHECK_THROWS_WITH(read_metrics(path), Contains("metrics.jsonl:1"));
  }
}

TEST_CASE("a loss that is not finite is null in the file and not a number when read") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  auto metrics = example(1);
  metrics.loss = std::numeric_limits<double>::quiet_NaN();
  metrics.gradient_norm = std::numeric_limits<double>::infinity();
  MetricsWriter(path, 0).write(metrics);
  CHECK_THAT(read_file(path), Contains("\"loss\":null") && Contains("\"grad_norm\":null"));
  CHECK(std::isnan(read_metrics(path).at(0).loss));
}

TEST_CASE("after a resume no step is there twice") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  write_steps(path, 1, 7);
  write_steps(path, 5, 9);
  CHECK(steps_in(path) == std::vector<std::int64_t>{1, 2, 3, 4, 5, 6, 7, 8, 9});
  write_steps(path, 1, 2);
  CHECK(steps_in(path) == std::vector<std::int64_t>{1, 2});
}

TEST_CASE("what a crash left at the end is removed, wherever it tore the line") {
  const QuietLog quiet;
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  write_steps(path, 1, 3);
  const std::string whole = read_file(path);
  const std::size_t start_of_last = whole.rfind('\n', whole.size() - 2) + 1;
  for (std::size_t length = start_of_last; length <= whole.size();
       length += length + 12 < whole.size() ? 11 : 1) {
    write_file_atomically(path, whole.substr(0, length));
    CHECK(steps_in(path).size() == (length == whole.size() ? 3 : 2));
    write_steps(path, 3, 4);
    REQUIRE(steps_in(path) == std::vector<std::int64_t>{1, 2, 3, 4});
  }
}

TEST_CASE("lines that are not metrics do not survive a resume") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  write_steps(path, 1, 2);
  const std::string good = read_file(path);
  const std::string first = good.substr(0, good.find('\n') + 1);
  write_file_atomically(path, first + std::string(300, '\0') + "\n[1]\n{}\n\n" + good);
  write_steps(path, 3, 3);
  CHECK(steps_in(path) == std::vector<std::int64_t>{1, 2, 3});
}

TEST_CASE("a reader names file and line of what it cannot read") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  write_steps(path, 1, 1);
  const std::string good = read_file(path);
  for (const std::string bad :
       {"{", "[]", "{}", R"({"step":"1"})", R"({"step":-1})", R"({"step":1e300})", R"({"step":0})",
        R"({"step":18446744073709551615})", R"({"step":1,"loss":"low"})", "\xff\xfe"}) {
    write_file_atomically(path, good + bad + "\n");
    CHECK_THROWS_AS(read_metrics(path), UserError);
    CHECK_THROWS_WITH(read_metrics(path), Contains("metrics.jsonl:2: not a line of metrics"));
  }
  const std::string deep(200000, '[');
  write_file_atomically(path, deep + "\n");
  CHECK_THROWS_AS(read_metrics(path), UserError);
  write_file_atomically(path,
                        good.substr(0, good.size() - 2) + R"(,"dropped":{"corrupt":-3}})" + "\n");
  CHECK_THROWS_WITH(read_metrics(path), Contains("not negative"));
  CHECK_THROWS_AS(read_metrics(folder.path() / "none"), UserError);
}

TEST_CASE("a reason in broken UTF-8 is written readably") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  auto metrics = example(1);
  metrics.dropped = {{"caf\xe9", 1}};
  MetricsWriter(path, 0).write(metrics);
  CHECK(read_metrics(path).at(0).num_dropped() == 1);
}

TEST_CASE("a full disk and a missing folder stop the run with the reason") {
  const test::TemporaryFolder folder;
  const auto path = folder.path() / "metrics.jsonl";
  std::filesystem::create_symlink("/dev/full", path);
  MetricsWriter writer(path, 0);
  CHECK_THROWS_AS(writer.write(example(1)), RunFailure);
  CHECK_THROWS_WITH(writer.write(example(1)), Contains("No space left"));
  CHECK_THROWS_AS(MetricsWriter(folder.path() / "none" / "metrics.jsonl", 0), RunFailure);
}

// Long runs: what the program holds of the system stays what it was, and how that is judged.
#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/files.h"
#include "core/random.h"
#include "tests/tools/program.h"
#include "tests/train/tiny_world.h"
#include "tools/bench/endurance_report.h"

using namespace vllama;
using Catch::Contains;

namespace {

// Readings at 1, 2, ..., whose resident memory is `megabytes(i)`.
template <class Megabytes>
tools::Endurance endurance_of(int num_readings, Megabytes megabytes) {
  tools::Endurance endurance{.unit = "batches", .run = {}, .readings = {}};
  for (int i = 0; i < num_readings; ++i)
    endurance.readings.push_back({i + 1, {7, 5, 100, megabytes(i), 50}, 40});
  return endurance;
}

// The JSON object in what the program printed, in front of and behind which may stand messages.
nlohmann::json report_in(const std::string& output) {
  const std::size_t begin = output.find('{'), end = output.rfind('}');
  REQUIRE(begin < end);
  REQUIRE(end != std::string::npos);
  return nlohmann::json::parse(output.substr(begin, end + 1 - begin));
}

void add_broken_clips(const test::TinyWorld& world) {
  std::string table = read_file(world.path("annotations/clips.csv"));
  const std::string clip = read_file(world.path("videos/page/clip0.mp4"));
  write_file_atomically(world.path("videos/page/cut.mp4"), clip.substr(0, clip.size() / 2));
  write_file_atomically(world.path("videos/page/text.mp4"), "no video");
  write_file_atomically(world.path("videos/page/empty.mp4"), "");
  for (const char* name : {"cut", "text", "empty", "missing"})
    table += std::string(name) + ",page,a broken clip\n";
  write_file_atomically(world.path("annotations/clips.csv"), table);
}

}  // namespace

TEST_CASE("endurance: the quantile of Student's t is that of the tables") {
  const auto [degrees, expected] = GENERATE(
      table<double, double>({{2, 4.303}, {5, 2.571}, {10, 2.228}, {30, 2.042}, {1000, 1.962}}));
  CHECK(tools::student_t_975(degrees) == Approx(expected).epsilon(0.01));
}

TEST_CASE("endurance: the trend of a line, and of readings that never change") {
  const std::vector<double> x = {1, 2, 3, 4, 5}, line = {2, 5, 8, 11, 14}, flat(5, 3.0);
  const auto rising = tools::trend(x, line);
  CHECK(rising.slope == Approx(3));
  CHECK(rising.slope_margin == Approx(0).margin(1e-6));
  CHECK(rising.difference() == Approx(12));
  CHECK(tools::trend(x, flat).slope == 0);
  CHECK(tools::trend(x, flat).slope_margin == 0);
  CHECK(std::isinf(tools::trend({x.data(), 1}, {flat.data(), 1}).slope_margin));
}

TEST_CASE("endurance: the slope lies within its margin 95 times in 100") {
  // Independent readings, and readings in which a deviation lasts. Of 400 runs 380 are expected,
  // with a standard deviation of 4.4; the correction for lasting deviations is only approximate.
  const auto [persistence, fewest] = GENERATE(table<double, int>({{0.0, 362}, {0.7, 350}}));
  constexpr double kSlope = 0.01;
  std::vector<double> x(200), y(200);
  int num_inside = 0;
  for (std::uint64_t run = 0; run < 400; ++run) {
    RandomStream stream(random_key({11, run}));
    double deviation = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      deviation = persistence * deviation + stream.normal();
      x[i] = static_cast<double>(i);
      y[i] = 50 + kSlope * x[i] + deviation;
    }
    const auto found = tools::trend(x, y);
    num_inside += std::abs(found.slope - kSlope) <= found.slope_margin ? 1 : 0;
  }
  CHECK(num_inside >= fewest);
}

TEST_CASE("endurance: growth of any kind is seen") {
  const auto level = endurance_of(100, [](int i) { return 100 + (i % 3) * 0.5; });
  CHECK(level.has_passed());
  CHECK_THAT(to_text(level), Contains("level") && !Contains("GROWS") && !Contains("NOT EQUAL"));
  const auto growing = endurance_of(100, [](int i) { return 100 + 0.05 * i; });
  CHECK_FALSE(growing.is_memory_level());
  CHECK_THAT(to_text(growing), Contains("GROWS"));
  auto leaking = level;
  ++leaking.readings.back().usage.num_open_files;
  CHECK_FALSE(leaking.has_passed());
  leaking = level;
  ++leaking.readings.back().usage.num_threads;
  CHECK_FALSE(leaking.has_passed());
  CHECK_THAT(to_text(leaking), Contains("5 and 6: NOT EQUAL"));
}

TEST_CASE("endurance: the picture is whole, also of a single reading") {
  for (const int num_readings : {1, 2, 2000}) {
    const auto svg = endurance_svg(endurance_of(num_readings, [](int) { return 100.0; }));
    CHECK_THAT(svg, Catch::StartsWith("<svg ") && Catch::EndsWith("</svg>\n") && !Contains("nan") &&
                        !Contains("inf") && Contains("open files") && Contains("batches"));
  }
}

TEST_CASE("endurance: a process knows its own open files") {
  const auto before = tools::own_usage();
  const int descriptor = ::open("/dev/null", O_RDONLY);
  CHECK(tools::own_usage().num_open_files == before.num_open_files + 1);
  ::close(descriptor);
  CHECK(tools::own_usage().num_open_files == before.num_open_files);
  CHECK(before.resident_megabytes >= before.anonymous_megabytes);
  CHECK(before.num_threads >= 1);
  CHECK_FALSE(tools::usage_of(-1).has_value());
}

TEST_CASE("endurance: 300 batches of clips, some broken, leave no open file and no thread") {
  const test::TinyWorld world;
  add_broken_clips(world);
  train::RunConfig run = world.run("data");
  run.training.batch_size = 2;
  const auto config = test::write_config(run, world.path("data.yaml"));
  const auto outcome = test::run_program("bench endurance data '" + config.string() +
                                         "' --batches 300 --from 50 --json --plot '" +
                                         world.path("data.svg").string() + "'");
  CHECK(outcome.status != 2);
  const auto report = report_in(outcome.output);
  CHECK(report.at("open_files_equal") == true);
  CHECK(report.at("threads_equal") == true);
  CHECK(report.at("run").at("samples") == 600);
  CHECK(report.at("run").at("dropped") > 100);
  CHECK(report.at("run").at("dropped_by_reason").size() >= 3);
  CHECK(report.at("readings").front().at("count") == 50);
  CHECK(report.at("readings").back().at("count") == 300);
  CHECK_THAT(read_file(world.path("data.svg")), Catch::EndsWith("</svg>\n"));
  CHECK(test::run_program("bench endurance data '" + config.string() + "' --only nothing").status ==
        2);
}

TEST_CASE("endurance: a training with checkpoints leaves no open file and no thread") {
  const test::TinyWorld world;
  train::RunConfig run = world.run("training");
  run.training.steps_per_epoch = 200;
  run.checkpoints.every_steps = 20;
  const auto config = test::write_config(run, world.path("training.yaml"));
  const std::string command =
      "bench endurance training '" + config.string() + "' --from 40 --every 60 --json";
  const auto outcome = test::run_program(command);
  CHECK(outcome.status != 2);
  const auto report = report_in(outcome.output.substr(outcome.output.rfind("\n{\n") + 1));
  CHECK(report.at("open_files_equal") == true);
  CHECK(report.at("threads_equal") == true);
  CHECK(report.at("readings").size() >= 2);
  CHECK(test::run_program(command).status == 2);  // the folder already holds a run
}

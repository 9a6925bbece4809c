#include <catch2/catch.hpp>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "config/fields.h"
#include "core/error.h"
#include "core/files.h"
#include "optim/schedule.h"
#include "tests/support/fixtures.h"

using namespace vllama;
using namespace vllama::optim;

namespace {

constexpr double kRateTolerance = 1e-12;  // relative: both sides compute in fp64

struct GoldenTable {
  std::string name;
  ScheduleConfig config;
  RunLength length;
  std::vector<std::pair<std::int64_t, double>> points;
};

std::vector<GoldenTable> read_tables(const std::filesystem::path& path) {
  std::vector<GoldenTable> tables;
  for (const auto& entry : nlohmann::json::parse(read_file(path))) {
    GoldenTable table{
        entry.at("name"), {}, {entry.at("max_epoch"), entry.at("iters_per_epoch")}, {}};
    table.config.kind =
        config::value_named<ScheduleKind>(entry.at("scheduler").get<std::string>()).value();
    table.config.peak_learning_rate = entry.at("init_lr");
    table.config.min_learning_rate = entry.at("min_lr");
    table.config.warmup_learning_rate = entry.value("warmup_start_lr", -1.0);
    table.config.warmup_steps = entry.at("warmup_steps");
    for (const auto& point : entry.at("points"))
      table.points.emplace_back(point.at(0), point.at(1));
    tables.push_back(std::move(table));
  }
  return tables;
}

// The original interpolates its warm-up with the step inside the epoch, so a warm-up that is longer
// than an epoch starts again with every epoch.
std::int64_t step_that_the_original_uses(const GoldenTable& table, std::int64_t step) {
  return step < table.config.warmup_steps ? step % table.length.steps_per_epoch : step;
}

}  // namespace

TEST_CASE("the rate equals the published program's at every golden point") {
  VLLAMA_SHARED_FILE(path, "goldens/optim/lr_tables.json");
  std::size_t num_points = 0, num_different = 0;
  for (const GoldenTable& table : read_tables(path)) {
    for (const auto& [step, expected] : table.points) {
      INFO(table.name << " step " << step);
      const std::int64_t step_there = step_that_the_original_uses(table, step);
      CHECK(learning_rate(table.config, table.length, step_there) ==
            Approx(expected).epsilon(kRateTolerance).margin(0));
      ++num_points;
      if (step_there == step) continue;
      ++num_different;
      CHECK(learning_rate(table.config, table.length, step) > expected);
    }
  }
  CHECK(num_points > 300);
  CHECK(num_different == 14);  // steps 10..23 of warmup_longer_than_epoch
}

TEST_CASE("a warm-up longer than an epoch rises all the way") {
  const ScheduleConfig config{.peak_learning_rate = 1e-4, .warmup_steps = 4000};
  for (std::int64_t step = 1; step < 4000; ++step)
    REQUIRE(learning_rate(config, {5, 2500}, step) > learning_rate(config, {5, 2500}, step - 1));
  CHECK(learning_rate(config, {5, 2500}, 0) == 1e-6);
}

TEST_CASE("the published recipes drop at the end of the warm-up by the documented amount") {
  const ScheduleConfig stage1{.warmup_steps = 2500};
  CHECK(learning_rate(stage1, {5, 2500}, 2500) == Approx(9.81e-5).epsilon(1e-3));
  const ScheduleConfig stage2{
      .peak_learning_rate = 3e-5, .min_learning_rate = 1e-5, .warmup_steps = 1000};
  CHECK(learning_rate(stage2, {3, 1000}, 1000) == Approx(2.5e-5).epsilon(1e-3));
}

TEST_CASE("a cosine after the warm-up starts at the peak and ends at the minimum") {
  const ScheduleConfig config{.peak_learning_rate = 1e-3,
                              .min_learning_rate = 1e-4,
                              .warmup_learning_rate = 0,
                              .warmup_steps = 20,
                              .cosine_after_warmup = true};
  const RunLength length{4, 30};
  CHECK(learning_rate(config, length, 0) == 0);
  CHECK(learning_rate(config, length, 10) == Approx(5e-4));
  CHECK(learning_rate(config, length, 20) == 1e-3);
  CHECK(learning_rate(config, length, 70) == Approx(5.5e-4));
  CHECK(learning_rate(config, length, 120) == Approx(1e-4));
  CHECK(learning_rate(config, length, 500) == Approx(1e-4));
  for (std::int64_t step = 21; step < 120; ++step)
    REQUIRE(learning_rate(config, length, step) < learning_rate(config, length, step - 1));
}

TEST_CASE("a run that ends within its warm-up has a rate at every step") {
  const ScheduleConfig config{.warmup_steps = 100, .cosine_after_warmup = true};
  for (const std::int64_t step : {0, 99, 100, 101})
    CHECK(std::isfinite(learning_rate(config, {1, 50}, step)));
}

TEST_CASE("by steps: warm-up in the first epoch, then one factor per epoch down to the minimum") {
  const ScheduleConfig config{.kind = ScheduleKind::by_epoch,
                              .peak_learning_rate = 1e-3,
                              .min_learning_rate = 2e-4,
                              .warmup_learning_rate = 1e-4,
                              .warmup_steps = 5,
                              .decay_rate = 0.5};
  const RunLength length{5, 10};
  CHECK(learning_rate(config, length, 0) == 1e-4);
  CHECK(learning_rate(config, length, 3) == Approx(6.4e-4).epsilon(kRateTolerance));
  CHECK(learning_rate(config, length, 9) == 1e-3);
  CHECK(learning_rate(config, length, 10) == 5e-4);
  CHECK(learning_rate(config, length, 19) == 5e-4);
  CHECK(learning_rate(config, length, 20) == 2.5e-4);
  CHECK(learning_rate(config, length, 30) == 2e-4);
}

TEST_CASE("a schedule is read strictly") {
  const auto tree = config::load_text("kind: linear_warmup_cosine\n", "run.yaml");
  CHECK_THROWS_WITH(config::read<ScheduleConfig>(tree),
                    Catch::Contains("linear_warmup_cosine_lr, linear_warmup_step_lr"));
}

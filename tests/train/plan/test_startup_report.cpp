// What the start of a run says about its data.
#include <catch2/catch.hpp>
#include <iostream>
#include <sstream>

#include "tests/train/tiny_world.h"
#include "train/plan/startup_report.h"
#include "train/train.h"

using namespace vllama;
using Catch::Contains;

namespace {

// Two data sets of the same five clips; 6 steps of 4 samples.
train::RunConfig two_sets(const test::TinyWorld& world) {
  train::RunConfig config = world.run("run");
  config.data.sets.push_back(config.data.sets[0]);
  config.data.sets[1].name = "again";
  return config;
}

// The data table of what a dry run prints.
std::string data_table(const train::RunConfig& config) {
  std::ostringstream report;
  std::streambuf* const standard_output = std::cout.rdbuf(report.rdbuf());
  const int status = train::train(config, {.dry_run = true});
  std::cout.rdbuf(standard_output);
  REQUIRE(status == 0);
  const std::string text = report.str();
  const auto begin = text.find("Data, "), end = text.find("Memory");
  REQUIRE(begin < end);
  return text.substr(begin, end - begin);
}

}  // namespace

TEST_CASE("start-up report: samples and passes of each data set") {
  const test::TinyWorld world;
  train::RunConfig config = two_sets(world);
  config.data.sets[1].weight = 3;
  config.data.mixing = datasets::MixingRule::within_step;
  const std::string weighted = data_table(config);
  CHECK_THAT(weighted, Contains("each step from all sets") && Contains("25.0 %") &&
                           Contains(" 6    1.20") && Contains(" 18    3.60"));
  config.data.mixing = datasets::MixingRule::per_step;
  CHECK_THAT(data_table(config), Contains("each step from one set, drawn"));
  config.data.sets[1].weight = 1;
  config.data.sets[0].num_samples = 4;
  config.data.sets[1].num_samples = 20;
  CHECK_THAT(data_table(config),
             Contains("each step from one set, in turns") && Contains("0.80") && Contains("4.00"));
}

TEST_CASE("start-up report: data that will be known by heart are warned of") {
  CHECK(train::many_passes(
            std::vector<train::DatasetPlan>{{.name = "a", .num_records = 10, .num_passes = 50}})
            .empty());
  const auto lines = train::many_passes(
      std::vector<train::DatasetPlan>{{.name = "a", .num_records = 10, .num_passes = 1},
                                      {.name = "b", .num_records = 10, .num_passes = 160}});
  REQUIRE(lines.size() == 1);
  CHECK_THAT(lines[0], Contains("data set b") && Contains("160 times through its 10 records"));
}

TEST_CASE("start-up report: numbers of samples that do not fit the run end it") {
  const test::TinyWorld world;
  train::RunConfig config = two_sets(world);
  config.data.sets[0].num_samples = 4;
  config.data.sets[1].num_samples = 40;
  CHECK_THROWS_WITH(train::train(config, {.dry_run = true}),
                    Contains("add up to 44") && Contains("6 steps of 4"));
}

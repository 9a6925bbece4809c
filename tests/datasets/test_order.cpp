// Which samples a step is made of.
#include <algorithm>
#include <catch2/catch.hpp>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "datasets/order.h"
#include "tests/support/fixtures.h"

namespace vllama::datasets {
namespace {

std::vector<std::int64_t> indices(const std::vector<PlannedSample>& samples) {
  std::vector<std::int64_t> result;
  for (const PlannedSample& sample : samples) result.push_back(sample.index);
  return result;
}

}  // namespace

TEST_CASE("a step depends on seed and number alone") {
  const OrderSettings settings{.samples_per_step = 6, .seed = 42};
  const std::vector<SampleOrder::Source> sources = {{100, 100}, {37, 24}};
  const SampleOrder forward(sources, settings), backward(sources, settings);
  std::vector<std::vector<PlannedSample>> steps;
  for (std::int64_t step = 0; step < 3000; ++step) steps.push_back(forward.step(step));
  for (std::int64_t step = 2999; step >= 0; step -= 7)
    REQUIRE(backward.step(step) == steps[static_cast<std::size_t>(step)]);
  const SampleOrder other(sources, {.samples_per_step = 6, .seed = 43});
  CHECK(other.step(5) != steps[5]);
}

TEST_CASE("a step takes from one data set; a pass holds every sample once") {
  const SampleOrder order({{50, 3}, {7, 1}}, {.samples_per_step = 4, .seed = 1});
  std::map<std::pair<std::int64_t, std::int64_t>, std::multiset<std::int64_t>> seen;
  for (std::int64_t step = 0; step < 400; ++step) {
    const auto samples = order.step(step);
    REQUIRE(samples.size() == 4);
    for (const PlannedSample& sample : samples) {
      REQUIRE(sample.dataset == order.dataset_of_step(step));
      seen[{sample.dataset, sample.pass}].insert(sample.index);
    }
  }
  for (const auto& [pass, drawn] : seen) {
    const bool is_last = !seen.contains({pass.first, pass.second + 1});
    const std::set<std::int64_t> distinct(drawn.begin(), drawn.end());
    CHECK(distinct.size() == drawn.size());
    if (!is_last) CHECK(distinct.size() == (pass.first == 0 ? 50U : 7U));
  }
  CHECK(order.step(0) != order.step(13));  // passes are different permutations
}

TEST_CASE("data sets are drawn with their weights (chi-square)") {
  const std::vector<double> weights = {100, 24, 7, 0, 1};
  std::vector<SampleOrder::Source> sources;
  double sum = 0;
  for (const double weight : weights) {
    sources.push_back({10, weight});
    sum += weight;
  }
  constexpr int kSteps = 50000;
  const SampleOrder order(sources, {.seed = 9});
  std::vector<int> counts(weights.size());
  for (std::int64_t step = 0; step < kSteps; ++step)
    ++counts[static_cast<std::size_t>(order.dataset_of_step(step))];
  double chi_square = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0) {
      CHECK(counts[i] == 0);
      continue;
    }
    const double expected = kSteps * weights[i] / sum;
    chi_square += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  CHECK(chi_square < 16.27);  // 99.9 % point for three degrees of freedom
}

TEST_CASE("in file order, the incomplete end of a pass is left out") {
  const SampleOrder order({{7, 1}}, {.samples_per_step = 2, .shuffle = false});
  CHECK(indices(order.step(0)) == std::vector<std::int64_t>{0, 1});
  CHECK(indices(order.step(2)) == std::vector<std::int64_t>{4, 5});
  CHECK(indices(order.step(3)) == std::vector<std::int64_t>{0, 1});
  CHECK(order.step(3)[0].pass == 1);
  const SampleOrder small({{3, 1}}, {.samples_per_step = 5, .shuffle = false});
  CHECK(indices(small.step(0)) == std::vector<std::int64_t>{0, 1, 2, 0, 1});
  CHECK(indices(small.step(1)) == std::vector<std::int64_t>{2, 0, 1, 2, 0});
}

TEST_CASE("the recorded runs visited the samples in this order") {
  VLLAMA_SHARED_FILE(runs, "goldens/runs");
  const std::map<std::string, std::int64_t> kSizes = {{"webvid", 7}, {"cc_sbu_align", 3}};
  for (const std::string run :
       {"vl_stage1_webvid", "vl_stage1_accum2", "vl_stage1_mixed", "vl_stage2_align_prompt"}) {
    INFO(run);
    const auto micro_steps =
        nlohmann::json::parse(read_file(runs / run / "trajectory.json")).at("micro_steps");
    const std::vector<std::string> names = {"webvid", "cc_sbu_align"};
    // The draws of the original program are not ours: the recorded ones are replayed.
    const auto recorded = [&](std::int64_t step) {
      const std::string name = micro_steps[static_cast<std::size_t>(step)].at("dataset");
      return std::int64_t{name == names[1]};
    };
    const SampleOrder order({{kSizes.at(names[0]), 100}, {kSizes.at(names[1]), 24}},
                            {.samples_per_step = 2, .shuffle = false}, recorded);
    for (std::size_t step = 0; step < micro_steps.size(); ++step)
      CHECK(indices(order.step(static_cast<std::int64_t>(step))) ==
            micro_steps[step].at("indices").get<std::vector<std::int64_t>>());
  }
}

TEST_CASE("ranks and micro-batches cut a step into stretches that together are the step") {
  const SampleOrder order({{1000, 1}}, {.samples_per_step = 24, .seed = 3});
  const auto samples = order.step(5);
  for (const auto& [num_ranks, num_micro_steps] :
       {std::pair<std::int64_t, std::int64_t>{1, 1}, {4, 1}, {1, 6}, {2, 3}, {5, 3}, {16, 2}}) {
    std::vector<PlannedSample> joined;
    for (std::int64_t micro_step = 0; micro_step < num_micro_steps; ++micro_step) {
      for (std::int64_t rank = 0; rank < num_ranks; ++rank) {
        const auto part = slice(samples, {rank, num_ranks, micro_step, num_micro_steps});
        joined.insert(joined.end(), part.begin(), part.end());
      }
    }
    CHECK(joined == samples);
  }
  CHECK(slice(samples, {.rank = 1, .num_ranks = 2, .micro_step = 1, .num_micro_steps = 3})[0] ==
        samples[12]);
}

TEST_CASE("samples have their own random numbers for each purpose") {
  const SampleOrder order({{10, 1}}, {.samples_per_step = 2, .seed = 3});
  std::set<std::uint64_t> first_numbers;
  for (const std::int64_t step : {0, 1})
    for (const PlannedSample& sample : order.step(step))
      for (const auto purpose : {RandomPurpose::frames, RandomPurpose::augmentation})
        first_numbers.insert(sample.random(purpose).next());
  CHECK(first_numbers.size() == 8);
}

TEST_CASE("weights and sizes that make no mixture are refused") {
  const double not_a_number = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_AS(SampleOrder({}, {}), UserError);
  CHECK_THROWS_AS(SampleOrder({{5, 0}}, {}), UserError);
  CHECK_THROWS_AS(SampleOrder({{5, -1}, {5, 2}}, {}), UserError);
  CHECK_THROWS_AS(SampleOrder({{5, not_a_number}}, {}), UserError);
  CHECK_THROWS_AS(SampleOrder({{0, 1}}, {}), UserError);
}

}  // namespace vllama::datasets

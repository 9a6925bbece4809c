// Which samples a step is made of.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "core/error.h"
#include "core/files.h"
#include "datasets/order/apportion.h"
#include "datasets/order/mixing.h"
#include "tests/support/fixtures.h"

namespace vllama::datasets {
namespace {

std::vector<std::int64_t> indices(const std::vector<PlannedSample>& samples) {
  std::vector<std::int64_t> result;
  for (const PlannedSample& sample : samples) result.push_back(sample.index);
  return result;
}

using Catch::Matchers::Contains;

constexpr Mixing kAllMixings[] = {Mixing::drawn_steps, Mixing::apportioned_steps,
                                  Mixing::within_step};

// A chance of one in a thousand that fair draws fail a chi-square test; the seed is fixed.
constexpr double kSmallestChance = 1e-3;

// The chance that a chi-square variable with three degrees of freedom exceeds `x`: the integral of
// sqrt(x / 2 pi) exp(-x / 2), in closed form.
double chance_beyond(double x) {
  return std::erfc(std::sqrt(x / 2)) + std::sqrt(2 * x / M_PI) * std::exp(-x / 2);
}

std::map<std::int64_t, std::int64_t> counts_by_dataset(std::span<const PlannedSample> samples) {
  std::map<std::int64_t, std::int64_t> counts;
  for (const PlannedSample& sample : samples) ++counts[sample.dataset];
  return counts;
}

// The samples that all ranks together take in a step, rank by rank.
std::vector<std::vector<PlannedSample>> taken_by_ranks(const SampleOrder& order, std::int64_t step,
                                                       std::int64_t num_ranks,
                                                       std::int64_t num_micro_steps) {
  std::vector<std::vector<PlannedSample>> ranks(static_cast<std::size_t>(num_ranks));
  const auto samples = order.step(step);
  for (std::int64_t rank = 0; rank < num_ranks; ++rank) {
    for (std::int64_t micro_step = 0; micro_step < num_micro_steps; ++micro_step) {
      const auto part = slice(samples, {rank, num_ranks, micro_step, num_micro_steps});
      auto& taken = ranks[static_cast<std::size_t>(rank)];
      taken.insert(taken.end(), part.begin(), part.end());
    }
  }
  return ranks;
}

// Largest minus smallest number of samples of any data set among the parts of a step.
std::int64_t largest_imbalance(const std::vector<std::vector<PlannedSample>>& parts,
                               std::int64_t num_datasets) {
  std::int64_t largest = 0;
  for (std::int64_t dataset = 0; dataset < num_datasets; ++dataset) {
    std::vector<std::int64_t> counts;
    for (const auto& part : parts) counts.push_back(counts_by_dataset(part)[dataset]);
    const auto [least, most] = std::ranges::minmax(counts);
    largest = std::max(largest, most - least);
  }
  return largest;
}

DataConfig mixture_of(const std::vector<std::pair<double, std::int64_t>>& weights_and_counts) {
  DataConfig config;
  for (const auto& [weight, count] : weights_and_counts) {
    DatasetConfig set;
    set.name = "set" + std::to_string(config.sets.size());
    set.weight = weight;
    set.num_samples = count;
    config.sets.push_back(set);
  }
  return config;
}

}  // namespace

TEST_CASE("a step depends on seed and number alone, in whatever order steps are asked for") {
  for (const Mixing mixing : kAllMixings) {
    const OrderSettings settings{.samples_per_step = 6, .seed = 42, .mixing = mixing};
    const std::vector<SampleOrder::Source> sources = {{100, 100}, {37, 24}};
    const SampleOrder forward(sources, settings), backward(sources, settings);
    std::vector<std::vector<PlannedSample>> steps;
    for (std::int64_t step = 0; step < 3000; ++step) steps.push_back(forward.step(step));
    for (std::int64_t step = 2999; step >= 0; step -= 7)
      REQUIRE(backward.step(step) == steps[static_cast<std::size_t>(step)]);
    OrderSettings other = settings;
    other.seed = 43;
    CHECK(SampleOrder(sources, other).step(5) != steps[5]);
  }
}

TEST_CASE("a pass holds every sample once, and passes follow each other without a gap") {
  const std::vector<std::int64_t> sizes = {50, 7};
  for (const Mixing mixing : kAllMixings) {
    for (const bool shuffle : {true, false}) {
      const SampleOrder order({{sizes[0], 3}, {sizes[1], 1}},
                              {.samples_per_step = shuffle || mixing == Mixing::within_step ? 6 : 1,
                               .shuffle = shuffle,
                               .seed = 1,
                               .mixing = mixing});
      std::map<std::int64_t, std::vector<std::vector<std::int64_t>>> passes;
      for (std::int64_t step = 0; step < 400; ++step) {
        for (const PlannedSample& sample : order.step(step)) {
          auto& seen = passes[sample.dataset];
          if (sample.pass == static_cast<std::int64_t>(seen.size())) seen.emplace_back();
          REQUIRE(sample.pass + 1 == static_cast<std::int64_t>(seen.size()));
          seen.back().push_back(sample.index);
        }
      }
      REQUIRE(passes.size() == 2);
      for (auto& [dataset, seen] : passes) {
        REQUIRE(seen.size() > 1);
        if (shuffle) CHECK(seen[0] != seen[1]);
        seen.pop_back();
        const auto size = static_cast<std::size_t>(sizes[static_cast<std::size_t>(dataset)]);
        for (auto& pass : seen) {
          if (shuffle) std::ranges::sort(pass);
          REQUIRE(pass.size() == size);
          for (std::size_t i = 0; i < size; ++i) REQUIRE(pass[i] == static_cast<std::int64_t>(i));
        }
      }
    }
  }
}

TEST_CASE("a step takes from one data set, or within steps from all") {
  for (const Mixing mixing : kAllMixings) {
    const SampleOrder order({{50, 3}, {7, 1}}, {.samples_per_step = 8, .mixing = mixing});
    for (std::int64_t step = 0; step < 100; ++step) {
      const auto samples = order.step(step);
      REQUIRE(samples.size() == 8);
      for (std::size_t i = 0; i < samples.size(); ++i)
        REQUIRE(samples[i].position == static_cast<std::int64_t>(i));
      const auto counts = counts_by_dataset(samples);
      if (mixing == Mixing::within_step)
        REQUIRE(counts == std::map<std::int64_t, std::int64_t>{{0, 6}, {1, 2}});
      else
        REQUIRE(counts.size() == 1);
    }
  }
}

TEST_CASE("data sets are drawn with their weights (chi-square)") {
  const std::vector<double> weights = {100, 24, 7, 0, 1};
  std::vector<SampleOrder::Source> sources;
  double sum = 0;
  for (const double weight : weights) {
    sources.push_back({10, weight});
    sum += weight;
  }
  constexpr std::int64_t kSteps = 50000;
  const SampleOrder order(sources, {.seed = 9});
  std::map<std::int64_t, std::int64_t> counts;
  for (std::int64_t step = 0; step < kSteps; ++step) ++counts[order.step(step)[0].dataset];
  const auto counted = order.num_samples_before(kSteps);
  double chi_square = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    const std::int64_t count = counts[static_cast<std::int64_t>(i)];
    CHECK(count == counted[i]);
    const double expected = kSteps * weights[i] / sum;
    if (expected == 0)
      CHECK(count == 0);
    else
      chi_square += std::pow(static_cast<double>(count) - expected, 2) / expected;
  }
  CHECK(chance_beyond(chi_square) > kSmallestChance);
  CHECK(chance_beyond(16.266) == Approx(kSmallestChance).epsilon(1e-3));  // a table's value
}

TEST_CASE("apportioned places keep every share at any time, and give whole shares exactly") {
  const std::vector<double> weights = {100, 24, 0, 7, 1e-3};
  std::vector<std::int64_t> before = apportion(weights, 0);
  CHECK(before == std::vector<std::int64_t>(5, 0));
  for (std::int64_t n = 1; n <= 3000; ++n) {
    const auto places = apportion(weights, n);
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < places.size(); ++i) {
      REQUIRE(places[i] >= before[i]);
      REQUIRE(std::abs(static_cast<double>(places[i]) -
                       static_cast<double>(n) * weights[i] / 131.001) < 1);
      sum += places[i];
    }
    REQUIRE(sum == n);
    before = places;
  }
  CHECK(apportion(std::vector<double>{3, 1, 2}, 6) == std::vector<std::int64_t>{3, 1, 2});
  CHECK(apportion(std::vector<double>{1e12, 1, 999}, 1'000'000'001'000) ==
        std::vector<std::int64_t>{1'000'000'000'000, 1, 999});
  CHECK(apportion(std::vector<double>{1, 1, 1}, 5) == std::vector<std::int64_t>{2, 2, 1});
  CHECK(apportion(std::vector<double>(1000, 0.1), 999).back() == 0);
}

TEST_CASE("ranks and micro-batches of any number take the samples of the step, each once") {
  for (const Mixing mixing : kAllMixings) {
    const SampleOrder order({{1000, 2}, {30, 1}, {500, 1}},
                            {.samples_per_step = 24, .seed = 3, .mixing = mixing});
    for (const std::int64_t step : {0, 1, 777}) {
      const auto samples = order.step(step);
      for (const std::int64_t num_ranks : {1, 2, 4, 5}) {
        for (const std::int64_t num_micro_steps : {1, 2, 3}) {
          std::vector<PlannedSample> joined;
          for (const auto& taken : taken_by_ranks(order, step, num_ranks, num_micro_steps))
            joined.insert(joined.end(), taken.begin(), taken.end());
          std::ranges::sort(joined, {}, &PlannedSample::position);
          REQUIRE(joined == samples);
        }
      }
    }
  }
  const SampleOrder order({{1000, 1}}, {.samples_per_step = 4});
  CHECK(slice(order.step(0), {.rank = 7, .num_ranks = 8}).empty());
}

TEST_CASE("within steps, ranks and micro-batches have as many samples of each data set") {
  const SampleOrder order({{1000, 100}, {30, 24}, {500, 7}},
                          {.samples_per_step = 64, .seed = 3, .mixing = Mixing::within_step});
  for (std::int64_t step = 0; step < 200; ++step) {
    const auto samples = order.step(step);
    for (const std::int64_t num_ranks : {1, 2, 4, 7}) {
      for (const std::int64_t num_micro_steps : {1, 2, 8}) {
        REQUIRE(largest_imbalance(taken_by_ranks(order, step, num_ranks, num_micro_steps), 3) <= 1);
        std::vector<std::vector<PlannedSample>> parts;
        for (std::int64_t rank = 0; rank < num_ranks; ++rank)
          for (std::int64_t micro_step = 0; micro_step < num_micro_steps; ++micro_step)
            parts.push_back(slice(samples, {rank, num_ranks, micro_step, num_micro_steps}));
        REQUIRE(largest_imbalance(parts, 3) <= 1);
      }
    }
  }
}

TEST_CASE("numbers of samples are kept exactly, by steps and within steps") {
  DataConfig config = mixture_of({{1, 700}, {1, 250}, {1, 50}});
  const RunSize run{.num_steps = 100, .samples_per_step = 10};
  for (const MixingRule mixing : {MixingRule::per_step, MixingRule::within_step}) {
    config.mixing = mixing;
    std::vector<SampleOrder::Source> sources;
    for (const auto& set : config.sets) sources.push_back({40, share_of(set)});
    const SampleOrder order(sources, order_settings(config, run, 1));
    CHECK(order.num_samples_before(100) == std::vector<std::int64_t>{700, 250, 50});
    std::map<std::int64_t, std::int64_t> counts;
    for (std::int64_t step = 0; step < 100; ++step)
      for (const auto& sample : order.step(step)) ++counts[sample.dataset];
    CHECK(counts == std::map<std::int64_t, std::int64_t>{{0, 700}, {1, 250}, {2, 50}});
  }
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

TEST_CASE("samples have their own random numbers for each purpose") {
  const SampleOrder order({{10, 1}}, {.samples_per_step = 2, .seed = 3});
  std::set<std::uint64_t> first_numbers;
  for (const std::int64_t step : {0, 1})
    for (const PlannedSample& sample : order.step(step))
      for (const auto purpose : {RandomPurpose::frames, RandomPurpose::augmentation})
        first_numbers.insert(sample.key().random(purpose).next());
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

TEST_CASE("numbers of samples that make no run are refused") {
  const RunSize run{.num_steps = 10, .samples_per_step = 4};
  const auto settings = [&](const DataConfig& config) { return order_settings(config, run, 0); };
  CHECK(settings(mixture_of({{3, 0}, {1, 0}})).mixing == Mixing::drawn_steps);
  CHECK(settings(mixture_of({{1, 20}, {1, 20}})).mixing == Mixing::apportioned_steps);
  CHECK_NOTHROW(settings(mixture_of({{1, 21}, {1, 22}})));  // 43: three of an eleventh step
  CHECK_THROWS_WITH(settings(mixture_of({{1, 22}, {1, 22}})),
                    Contains("add up to 44") && Contains("10 steps of 4"));
  CHECK_THROWS_WITH(settings(mixture_of({{1, 40}, {1, 0}})), Contains("'set1'"));
  CHECK_THROWS_WITH(settings(mixture_of({{2, 20}, {1, 20}})), Contains("'set0'"));
}

}  // namespace vllama::datasets

// Spikes are found, and nothing else: not noise, not the steep beginning, not data sets in turns.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "tests/support/fixtures.h"
#include "train/watch/median.h"
#include "train/watch/spike_detector.h"
#include "train/watch/step_health.h"

using namespace vllama;
using namespace vllama::train;

namespace {

constexpr double kThreshold = 6;            // the default of training.spike_z_score
constexpr std::int64_t kNumSteps = 10'000;  // of each kind of noise

// A loss that falls from 8.5 to 2.5 with a time constant of 40 steps, then stays.
double expected_loss(std::int64_t step) {
  return 2.5 + 6 * std::exp(-static_cast<double>(step) / 40);
}

struct Alarms {
  std::int64_t num = 0;
  double largest = 0;
};

// Of many runs of 5000 steps; `noise` gives a factor.
Alarms alarms(const std::function<double(RandomStream&)>& noise) {
  constexpr std::int64_t kStepsPerRun = 5000;
  Alarms result;
  RandomStream stream(random_key({1}));
  for (std::int64_t run = 0; run < kNumSteps / kStepsPerRun; ++run) {
    SpikeDetector detector;
    for (std::int64_t step = 0; step < kStepsPerRun; ++step) {
      const double z_score = detector.add("all", expected_loss(step) * noise(stream)).value_or(-1);
      result.num += z_score > kThreshold;
      result.largest = std::max(result.largest, z_score);
    }
  }
  return result;
}

// Gamma of whole shape k and mean 1: the scatter of a sum of k exponential variables.
double gamma(RandomStream& stream, int shape) {
  double sum = 0;
  for (int i = 0; i < shape; ++i) sum -= std::log(1 - stream.uniform());
  return sum / shape;
}

// What a straight line through equally spaced values leaves of them.
std::vector<double> residuals(const std::vector<double>& values) {
  const auto size = static_cast<double>(values.size());
  double sum = 0, moment = 0, spread = 0;
  const auto place = [size](std::size_t i) { return static_cast<double>(i) - (size - 1) / 2; };
  for (std::size_t i = 0; i < values.size(); ++i) {
    sum += values[i];
    moment += values[i] * place(i);
    spread += place(i) * place(i);
  }
  std::vector<double> left;
  for (std::size_t i = 0; i < values.size(); ++i)
    left.push_back(values[i] - sum / size - moment / spread * place(i));
  return left;
}

StepMetrics step_of(double loss, double norm = 1, std::int64_t num_targets = 10) {
  StepMetrics metrics;
  metrics.loss = loss;
  metrics.gradient_norm = norm;
  metrics.num_target_tokens = num_targets;
  return metrics;
}

StepMetrics judged(StepHealth& health, StepMetrics metrics, const std::string& kind = "a") {
  health.judge(metrics, kind);
  return metrics;
}

// Steps of two data sets in turns, at levels 1 and 9, with 3 percent of scatter.
void warm_up(StepHealth& health, std::int64_t num_steps, RandomStream& stream) {
  for (std::int64_t i = 0; i < num_steps; ++i) {
    const double level = i % 2 == 0 ? 1 : 9;
    judged(health, step_of(level * (1 + 0.03 * stream.normal())), i % 2 == 0 ? "a" : "b");
  }
}

}  // namespace

TEST_CASE("spikes: the middle") {
  CHECK(median({3}) == 3);
  CHECK(median({4, 1}) == 2.5);
  CHECK(median({9, 1, 5}) == 5);
  CHECK(median({7, 7, 1, 100}) == 7);
  CHECK(median({1e308, 1e308}) == 1e308);
  CHECK_THROWS_AS(median({}), InternalError);
}

// In 10^5 steps of each: no alarm for the first four, with largest z-scores of 4.4, 4.7, 3.9 and
// 3.9; t with 5 degrees of freedom, whose tails the mean of a batch hardly has, 68.
TEST_CASE("spikes: false alarms on noise") {
  const auto small = alarms([](RandomStream& s) { return 1 + 0.05 * s.normal(); });
  const auto lognormal = alarms([](RandomStream& s) { return std::exp(0.3 * s.normal()); });
  const auto skewed = alarms([](RandomStream& s) { return gamma(s, 20); });
  const auto very_skewed = alarms([](RandomStream& s) { return gamma(s, 4); });
  const auto heavy = alarms([](RandomStream& s) {
    double squares = 0;
    for (int i = 0; i < 5; ++i) squares += std::pow(s.normal(), 2);
    return std::exp(0.05 * s.normal() / std::sqrt(squares / 5));
  });
  INFO(fmt::format("largest: {:.2f} {:.2f} {:.2f} {:.2f} {:.2f}; heavy tails: {} alarms",
                   small.largest, lognormal.largest, skewed.largest, very_skewed.largest,
                   heavy.largest, heavy.num));
  CHECK(small.num == 0);
  CHECK(lognormal.num == 0);
  CHECK(skewed.num == 0);
  CHECK(very_skewed.num == 0);
  CHECK(heavy.num < kNumSteps / 500);
}

// Their 20 steps are too few to judge. Their scatter around a straight line, of logarithms, is
// drawn at random onto a long run. In 10^5 steps of each: no alarm, the largest z-score 5.8, of the
// run with accumulation.
TEST_CASE("spikes: none with the scatter of the runs recorded from the original") {
  VLLAMA_SHARED_FILE(runs, "goldens/runs");
  for (const auto& run : std::filesystem::directory_iterator(runs)) {
    const auto trajectory = nlohmann::json::parse(read_file(run.path() / "trajectory.json"));
    std::vector<double> levels;
    for (const auto& step : trajectory.at("micro_steps"))
      levels.push_back(std::log(step.at("loss").get<double>()));
    const std::vector<double> scatter = residuals(levels);
    const Alarms found =
        alarms([&](RandomStream& s) { return std::exp(scatter[s.below(scatter.size())]); });
    INFO(run.path().filename() << ": largest " << found.largest);
    CHECK(found.num == 0);
  }
}

TEST_CASE("spikes: no loss is judged before there are enough of its kind") {
  SpikeDetector detector;
  for (std::size_t i = 0; i < SpikeDetector::kFewest; ++i) {
    CHECK_FALSE(detector.add("a", i % 2 == 0 ? 1 : 1000));
    CHECK_FALSE(detector.add("b", 2));
  }
  CHECK(detector.add("a", 1));
  CHECK_FALSE(detector.add("c", 1));
}

TEST_CASE("spikes: a real one is found at any time, several in a row as well") {
  RandomStream stream(7);
  for (const std::int64_t when : {60, 100, 300, 3000}) {
    SpikeDetector detector;
    for (std::int64_t step = 0; step < when; ++step)
      detector.add("all", expected_loss(step) * (1 + 0.03 * stream.normal()));
    CAPTURE(when);
    const double factor = when < 200 ? 2 : 1.3;
    for (std::size_t i = 0; i < SpikeDetector::kReference / 4; ++i)
      CHECK(detector.add("all", expected_loss(when) * factor) > kThreshold);
  }
}

TEST_CASE("spikes: the end of a fall is none, even without scatter") {
  for (const double scatter : {0.0, 0.002, 0.01, 0.05}) {
    SpikeDetector detector;
    RandomStream stream(10);
    for (int step = 0; step < 1000; ++step) {
      const double loss = std::max(2.0, 9 - 0.05 * step) * (1 + scatter * stream.normal());
      CHECK(detector.add("all", loss).value_or(0) < kThreshold);
    }
  }
}

TEST_CASE("spikes: a lasting new level is accepted after half of the reference") {
  SpikeDetector detector;
  RandomStream stream(8);
  const auto noisy = [&stream](double level) { return level * (1 + 0.03 * stream.normal()); };
  for (int step = 0; step < 500; ++step) detector.add("all", noisy(2));
  for (std::size_t step = 0; step < SpikeDetector::kReference / 2; ++step)
    CHECK(detector.add("all", noisy(4)) > kThreshold);
  detector.add("all", noisy(4));
  for (int step = 0; step < 500; ++step) CHECK(detector.add("all", noisy(4)) < kThreshold);
}

TEST_CASE("spikes: losses that repeat, vanish or are huge") {
  SpikeDetector detector;
  for (int step = 0; step < 100; ++step) detector.add("same", 3.0);
  CHECK(*detector.add("same", 3.0) == 0);
  CHECK(*detector.add("same", 3.0000001) < 0.001);
  CHECK(*detector.add("same", 3.5) > kThreshold);
  for (int step = 0; step < 100; ++step) detector.add("zero", step % 7 == 0 ? 1e-7 : 0);
  CHECK(*detector.add("zero", 1e-6) < kThreshold);
  CHECK(*detector.add("zero", 1) > kThreshold);
  CHECK(std::isfinite(*detector.add("same", std::numeric_limits<double>::max())));
  CHECK(std::isfinite(*detector.add("same", -1)));
  CHECK_THROWS_AS(detector.add("same", std::nan("")), InternalError);
}

TEST_CASE("spikes: what is remembered is bounded, and is all there is to remember") {
  SpikeDetector whole;
  RandomStream stream(9);
  for (int step = 0; step < 1000; ++step) {
    const std::string kind = step % 3 == 0 ? "a" : "b";
    const double loss = 1 + stream.uniform();
    SpikeDetector resumed(whole.recent_losses());
    CHECK(whole.add(kind, loss) == resumed.add(kind, loss));
    CHECK(whole.recent_losses() == resumed.recent_losses());
  }
  for (const auto& [kind, losses] : whole.recent_losses())
    CHECK(losses.size() == SpikeDetector::kMemory);
}

TEST_CASE("health: what cannot be used is skipped, whatever the settings") {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  for (const StepHealthSettings settings : {StepHealthSettings{0, false}, {6, false}, {6, true}}) {
    StepHealth health(settings, {});
    const auto check = [&](const StepMetrics& metrics, StepProblem problem, std::int64_t in_a_row) {
      const StepMetrics verdict = judged(health, metrics);
      CHECK(verdict.problem == problem);
      CHECK(verdict.skipped);
      CHECK_FALSE(verdict.loss_z);
      CHECK(health.num_skipped_in_a_row() == in_a_row);
    };
    check(step_of(std::nan("")), StepProblem::nonfinite_loss, 1);
    check(step_of(kInfinity, kInfinity), StepProblem::nonfinite_loss, 2);
    check(step_of(1, kInfinity), StepProblem::nonfinite_gradient, 3);
    check(step_of(1, std::nan("")), StepProblem::nonfinite_gradient, 4);
    check(step_of(std::nan(""), std::nan(""), 0), StepProblem::no_targets, 5);
    CHECK_FALSE(judged(health, step_of(1)).problem);
    CHECK(health.num_skipped_in_a_row() == 0);
  }
}

TEST_CASE("health: data sets with other losses take turns without an alarm, each has its spikes") {
  RandomStream stream(11);
  StepHealth health({kThreshold, false}, {});
  for (int i = 0; i < 2000; ++i) {
    const bool is_first = i % 2 == 0;
    const double loss = (is_first ? 1 : 9) * (1 + 0.03 * stream.normal());
    CHECK_FALSE(judged(health, step_of(loss), is_first ? "a" : "b").problem);
  }
  const StepMetrics spike = judged(health, step_of(2), "a");
  CHECK(spike.problem == StepProblem::loss_spike);
  CHECK_FALSE(spike.skipped);
  CHECK(*spike.loss_z > 15);
  CHECK(health.num_skipped_in_a_row() == 0);
  CHECK(*judged(health, step_of(2), "b").loss_z < -15);
  CHECK_FALSE(judged(health, step_of(9.1), "b").problem);
}

TEST_CASE("health: spikes are skipped when asked for, and not looked for when switched off") {
  RandomStream stream(12);
  StepHealth skipping({kThreshold, true}, {});
  warm_up(skipping, 200, stream);
  CHECK(judged(skipping, step_of(2)).skipped);
  CHECK(skipping.num_skipped_in_a_row() == 1);
  CHECK(judged(skipping, step_of(std::nan(""))).skipped);
  CHECK(skipping.num_skipped_in_a_row() == 2);
  StepHealth off({0, false}, {});
  warm_up(off, 200, stream);
  const StepMetrics ignored = judged(off, step_of(1000));
  CHECK_FALSE(ignored.problem);
  CHECK_FALSE(ignored.loss_z);
  CHECK(off.state().recent_losses.empty());
}

TEST_CASE("health: a resumed judge decides as the undisturbed one") {
  RandomStream stream(13);
  StepHealth whole({3, true}, {});
  for (int step = 0; step < 1000; ++step) {
    StepHealth resumed({3, true}, whole.state());
    const std::string kind = step % 3 == 0 ? "a" : "b";
    const auto metrics = step_of(step % 17 == 0 ? std::nan("") : std::exp(stream.normal()));
    const auto expected = judged(whole, metrics, kind), actual = judged(resumed, metrics, kind);
    CHECK(actual.loss_z == expected.loss_z);
    CHECK(actual.problem == expected.problem);
    CHECK(actual.skipped == expected.skipped);
    CHECK(resumed.num_skipped_in_a_row() == whole.num_skipped_in_a_row());
  }
}

#include <algorithm>
#include <catch2/catch.hpp>
#include <cmath>
#include <limits>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "tests/support/fixtures.h"
#include "train/record/loss_plot.h"

using namespace vllama;
using namespace vllama::train;
using Catch::Contains;

namespace {

std::vector<StepMetrics> falling_losses(int num_steps) {
  RandomStream stream(random_key({3}));
  std::vector<StepMetrics> steps(static_cast<std::size_t>(num_steps));
  for (int i = 0; i < num_steps; ++i) {
    auto& step = steps[static_cast<std::size_t>(i)];
    step.step = i + 1;
    step.loss = 2 + 5 * std::exp(-8.0 * i / num_steps) + 0.2 * stream.normal();
    step.num_target_tokens = 300;
  }
  return steps;
}

// The (x, y) pairs of the curve drawn in the given colour: "M72.0 394.0L75.5 390.1...".
std::vector<std::pair<double, double>> line_in(const std::string& svg, const std::string& colour) {
  const std::size_t end = svg.find("\" stroke=\"" + colour);
  REQUIRE(end != std::string::npos);
  const std::size_t begin = svg.rfind('"', end - 1) + 1;
  std::string data = svg.substr(begin, end - begin);
  std::ranges::replace_if(
      data, [](char byte) { return byte == 'M' || byte == 'L'; }, ' ');
  std::istringstream numbers(data);
  std::vector<std::pair<double, double>> points;
  for (double x = 0, y = 0; numbers >> x >> y;) points.emplace_back(x, y);
  return points;
}

const std::string kRaw = "#a9c7e8", kMean = "#1f5fa8";

}  // namespace

TEST_CASE("every step of a short run is a point inside the axes") {
  const auto steps = falling_losses(200);
  const std::string svg = loss_svg(steps, "Toy <run> & more");
  CHECK_THAT(svg, Catch::StartsWith("<svg ") && Catch::EndsWith("</svg>\n") &&
                      Contains("Toy &lt;run&gt; &amp; more"));
  for (const auto& colour : {kRaw, kMean}) {
    const auto points = line_in(svg, colour);
    REQUIRE(points.size() == 200);
    CHECK(points.front().first == Approx(72 + 704.0 / 200).margin(0.06));
    CHECK(points.back().first == 776);
    for (const auto& [x, y] : points) CHECK((x >= 72 && x <= 776 && y > 0 && y <= 394));
  }
}

TEST_CASE("the smoothed line varies less than the raw one and follows the trend") {
  const std::string svg = loss_svg(falling_losses(600), "");
  const auto roughness = [](const auto& points) {
    double sum = 0;
    for (std::size_t i = 301; i < 600; ++i)
      sum += std::abs(points[i].second - points[i - 1].second);
    return sum;
  };
  const auto raw = line_in(svg, kRaw), mean = line_in(svg, kMean);
  CHECK(roughness(mean) < 0.2 * roughness(raw));
  CHECK(mean[10].second < mean[590].second);  // the picture's vertical axis points down
}

TEST_CASE("a long run stays small and keeps its extremes") {
  auto steps = falling_losses(25000);
  steps[20000].loss = 0.5;
  const std::string svg = loss_svg(steps, "long");
  CHECK(svg.size() < 60000);
  double lowest = 0;
  for (const auto& [x, y] : line_in(svg, kRaw)) lowest = std::max(lowest, y);
  CHECK(lowest > 350);  // close to the axis at 394
}

TEST_CASE("wild, missing and constant losses give a picture; no losses give an error") {
  auto steps = falling_losses(300);
  steps[5].loss = 1e9;
  steps[6].loss = std::numeric_limits<double>::quiet_NaN();
  const std::string svg = loss_svg(steps, "");
  CHECK(line_in(svg, kRaw).size() == 299);
  CHECK_THAT(svg, !Contains("nan") && !Contains("inf"));

  for (const double loss : {0.0, 2.5, -3.0, 1e-12, 1e12}) {
    std::vector<StepMetrics> flat(1);
    flat[0].step = 7;
    flat[0].loss = loss;
    const std::string one = loss_svg(flat, "one step");
    CHECK_THAT(one, !Contains("nan") && !Contains("inf"));
    CHECK(one.size() < 5000);
  }
  CHECK_THROWS_AS(loss_svg({}, ""), UserError);
}

TEST_CASE("from file to file; a run without losses is named") {
  const test::TemporaryFolder folder;
  const auto metrics_file = folder.path() / "metrics.jsonl", svg_file = folder.path() / "loss.svg";
  {
    MetricsWriter writer(metrics_file, 0);
    for (const StepMetrics& step : falling_losses(20)) writer.write(step);
  }
  plot_loss(metrics_file, svg_file, "twenty steps");
  CHECK(line_in(read_file(svg_file), kRaw).size() == 20);
  write_file_atomically(metrics_file, "");
  CHECK_THROWS_WITH(plot_loss(metrics_file, svg_file, ""), Contains("metrics.jsonl: no step"));
}

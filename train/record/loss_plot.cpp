#include "train/record/loss_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "core/markup.h"
#include "core/terminal_text.h"
#include "output/number_text.h"
#include "output/plot_axes.h"

namespace vllama::train {
namespace {

constexpr double kWidth = 800, kHeight = 450;
constexpr double kLeft = 72, kRight = 24, kTop = 48, kBottom = 56;  // margins around the axes
constexpr output::PlotFrame kFrame = {kLeft, kTop, kWidth - kRight, kHeight - kBottom};
constexpr double kStepIntervals = 8, kLossIntervals = 8;  // at most, between ticks
constexpr const char* kRawColour = "#a9c7e8";
constexpr const char* kMeanColour = "#1f5fa8";

struct Point {
  double step, loss, num_targets;
};

std::vector<Point> finite_points(std::span<const StepMetrics> steps) {
  std::vector<Point> points;
  for (const StepMetrics& step : steps)
    if (std::isfinite(step.loss))
      points.push_back({static_cast<double>(step.step), step.loss,
                        std::max(1.0, static_cast<double>(step.num_target_tokens))});
  return points;
}

// How far the mean around a point reaches to each side: a sixtieth of the run.
std::size_t half_window(const std::vector<Point>& points) {
  return points.size() / 60;
}

// The mean per target token over the window around each point, cut off at the ends of the run.
std::vector<Point> smoothed(const std::vector<Point>& points) {
  std::vector<double> loss_sums = {0}, target_sums = {0};
  for (const Point& point : points) {
    loss_sums.push_back(loss_sums.back() + point.loss * point.num_targets);
    target_sums.push_back(target_sums.back() + point.num_targets);
  }
  const std::size_t reach = half_window(points);
  std::vector<Point> means = points;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t begin = i - std::min(reach, i);
    const std::size_t end = std::min(i + reach + 1, points.size());
    means[i].loss = (loss_sums[end] - loss_sums[begin]) / (target_sums[end] - target_sums[begin]);
  }
  return means;
}

// Axes that hold all means and all but the highest hundredth of single losses, which a few wild
// steps would otherwise stretch.
output::PlotAxes axes_of(const std::vector<Point>& points, const std::vector<Point>& means) {
  std::vector<double> losses;
  for (const Point& point : points) losses.push_back(point.loss);
  std::ranges::sort(losses);
  double highest = losses[(losses.size() - 1) * 99 / 100];
  for (const Point& mean : means) highest = std::max(highest, mean.loss);
  const double lowest = losses.front();
  const double spread = std::max({highest - lowest, 1e-3 * std::abs(highest), 1e-6});
  const double interval = output::round_interval(1.1 * spread, kLossIntervals);
  const double bottom = std::floor(lowest / interval) * interval;
  const double first = points.front().step, last = points.back().step;
  const double left = first < last / 20 ? 0 : first;  // a whole run starts at the axis's zero
  return {kFrame,
          {left, std::max(last, left + 1)},
          {bottom, std::max(std::ceil(highest / interval) * interval, bottom + interval)}};
}

std::string curve_data(const std::vector<Point>& points, const output::PlotAxes& axes) {
  std::vector<output::PlotPoint> curve;
  for (const Point& point : points) curve.push_back({point.step, point.loss});
  return output::path_data(output::thinned(curve), axes);
}

std::string curves(const std::vector<Point>& points, const std::vector<Point>& means,
                   const output::PlotAxes& axes) {
  return fmt::format(
      "<clipPath id=\"inside\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n"
      "<g clip-path=\"url(#inside)\" fill=\"none\" stroke-linejoin=\"round\">\n"
      "<path d=\"{}\" stroke=\"{}\" stroke-width=\"1\"/>\n"
      "<path d=\"{}\" stroke=\"{}\" stroke-width=\"2\"/>\n</g>\n",
      kLeft, kTop, kWidth - kLeft - kRight, kHeight - kTop - kBottom, curve_data(points, axes),
      kRawColour, curve_data(means, axes), kMeanColour);
}

// Names of the two lines, in the upper right corner, where a falling loss leaves room.
std::string legend(std::size_t num_averaged) {
  constexpr double kTextLeft = kWidth - kRight - 150, kFirstLine = kTop + 22, kLineHeight = 20;
  const auto entry = [&](const char* colour, double thickness, double y, const std::string& text) {
    return fmt::format(
        "<path d=\"M{} {}h24\" stroke=\"{}\" stroke-width=\"{}\"/><text x=\"{}\" "
        "y=\"{}\">{}</text>\n",
        kTextLeft - 32, y - 4, colour, thickness, kTextLeft, y, text);
  };
  if (num_averaged == 1) return "";  // both lines are the same
  return entry(kRawColour, 1, kFirstLine, "each step") +
         entry(kMeanColour, 2, kFirstLine + kLineHeight,
               fmt::format("mean of {} steps",
                           output::grouped_digits(static_cast<std::int64_t>(num_averaged))));
}

}  // namespace

std::string loss_svg(std::span<const StepMetrics> steps, const std::string& title) {
  const std::vector<Point> points = finite_points(steps);
  if (points.empty()) throw UserError("no step with a finite loss to plot");
  const std::vector<Point> means = smoothed(points);
  const output::PlotAxes axes = axes_of(points, means);

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#444\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"{2}\" y=\"28\" font-size=\"16\" fill=\"#111\">{3}</text>\n",
      kWidth, kHeight, kLeft, markup_escaped(visible(title)));
  svg +=
      output::vertical_axis(axes, kLossIntervals) + output::horizontal_axis(axes, kStepIntervals);
  svg += curves(points, means, axes) + legend(2 * half_window(points) + 1);
  svg += output::axis_lines(kFrame);
  svg += fmt::format(
      "<text x=\"{0}\" y=\"{1}\" text-anchor=\"middle\">optimizer step</text>\n"
      "<text transform=\"translate(20 {2}) rotate(-90)\" text-anchor=\"middle\">"
      "loss per target token</text>\n",
      (kLeft + kWidth - kRight) / 2, kHeight - 12, (kTop + kHeight - kBottom) / 2);
  return svg + "</svg>\n";
}

void plot_loss(const std::filesystem::path& metrics_file, const std::filesystem::path& svg_file,
               const std::string& title) {
  const std::vector<StepMetrics> steps = read_metrics(metrics_file);
  try {
    write_file_atomically(svg_file, loss_svg(steps, title));
  } catch (const UserError& problem) {
    throw UserError(fmt::format("{}: {}", metrics_file.string(), problem.what()));
  }
}

}  // namespace vllama::train

#include "train/loss_plot.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/error.h"
#include "core/files.h"
#include "train/number_text.h"
#include "train/safe_text.h"

namespace vllama::train {
namespace {

constexpr double kWidth = 800, kHeight = 450;
constexpr double kLeft = 72, kRight = 24, kTop = 48, kBottom = 56;  // margins around the axes
constexpr double kStepIntervals = 8, kLossIntervals = 8;            // at most, between ticks
constexpr std::size_t kMaxColumns = 800;
constexpr const char* kRawColour = "#a9c7e8";
constexpr const char* kMeanColour = "#1f5fa8";

struct Point {
  double step, loss, num_targets;
};

// Maps data to the picture, whose vertical axis points down.
struct Axes {
  double min_step, max_step, min_loss, max_loss;
  double x(double step) const {
    return kLeft + (step - min_step) / (max_step - min_step) * (kWidth - kLeft - kRight);
  }
  double y(double loss) const {
    return kHeight - kBottom -
           (loss - min_loss) / (max_loss - min_loss) * (kHeight - kTop - kBottom);
  }
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

// A round number such that `span` holds about `count` of it: 1, 2 or 5 times a power of ten.
double round_interval(double span, double count) {
  const double power = std::pow(10, std::floor(std::log10(span / count)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (span / (factor * power) <= count) return factor * power;
  return 10 * power;
}

// Axes that hold all means and all but the highest hundredth of single losses, which a few wild
// steps would otherwise stretch.
Axes axes_of(const std::vector<Point>& points, const std::vector<Point>& means) {
  std::vector<double> losses;
  for (const Point& point : points) losses.push_back(point.loss);
  std::ranges::sort(losses);
  double highest = losses[(losses.size() - 1) * 99 / 100];
  for (const Point& mean : means) highest = std::max(highest, mean.loss);
  const double lowest = losses.front();
  const double spread = std::max({highest - lowest, 1e-3 * std::abs(highest), 1e-6});
  const double interval = round_interval(1.1 * spread, kLossIntervals);
  const double bottom = std::floor(lowest / interval) * interval;
  const double first = points.front().step, last = points.back().step;
  const double left = first < last / 20 ? 0 : first;  // a whole run starts at the axis's zero
  return {left, std::max(last, left + 1), bottom,
          std::max(std::ceil(highest / interval) * interval, bottom + interval)};
}

std::string path_data(const std::vector<Point>& points, const Axes& axes) {
  std::string data;
  for (const Point& point : points)
    data += fmt::format("{}{:.1f} {:.1f}", data.empty() ? "M" : "L", axes.x(point.step),
                        axes.y(point.loss));
  return data;
}

// At most two points per column of the picture: its lowest and its highest.
std::vector<Point> thinned(const std::vector<Point>& points) {
  if (points.size() <= kMaxColumns) return points;
  std::vector<Point> kept;
  for (std::size_t column = 0; column < kMaxColumns; ++column) {
    const auto begin =
        points.begin() + static_cast<std::ptrdiff_t>(column * points.size() / kMaxColumns);
    const auto end =
        points.begin() + static_cast<std::ptrdiff_t>((column + 1) * points.size() / kMaxColumns);
    auto [low, high] = std::minmax_element(
        begin, end, [](const Point& a, const Point& b) { return a.loss < b.loss; });
    if (high->step < low->step) std::swap(low, high);
    kept.push_back(*low);
    if (low != high) kept.push_back(*high);
  }
  return kept;
}

std::string step_axis(const Axes& axes) {
  std::string svg;
  const double interval =
      std::max(1.0, round_interval(axes.max_step - axes.min_step, kStepIntervals));
  for (double step = std::ceil(axes.min_step / interval) * interval; step <= axes.max_step;
       step += interval)
    svg += fmt::format(
        "<path d=\"M{0:.1f} {1}v5\" stroke=\"#888\"/>"
        "<text x=\"{0:.1f}\" y=\"{2}\" text-anchor=\"middle\">{3}</text>\n",
        axes.x(step), kHeight - kBottom, kHeight - kBottom + 20,
        grouped_digits(static_cast<std::int64_t>(step)));
  return svg;
}

std::string loss_axis(const Axes& axes) {
  std::string svg;
  const double interval = round_interval(axes.max_loss - axes.min_loss, kLossIntervals);
  const int decimals = std::clamp(-static_cast<int>(std::floor(std::log10(interval))), 0, 9);
  const auto num_intervals =
      static_cast<int>(std::floor((axes.max_loss - axes.min_loss) / interval + 1e-6));
  for (int i = 0; i <= num_intervals; ++i) {
    const double loss = axes.min_loss + i * interval;
    svg += fmt::format(
        "<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#e3e3e3\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.{6}f}</text>\n",
        kLeft, axes.y(loss), kWidth - kRight, kLeft - 8, axes.y(loss) + 4, loss, decimals);
  }
  return svg;
}

std::string curves(const std::vector<Point>& points, const std::vector<Point>& means,
                   const Axes& axes) {
  return fmt::format(
      "<clipPath id=\"inside\"><rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"/></clipPath>\n"
      "<g clip-path=\"url(#inside)\" fill=\"none\" stroke-linejoin=\"round\">\n"
      "<path d=\"{}\" stroke=\"{}\" stroke-width=\"1\"/>\n"
      "<path d=\"{}\" stroke=\"{}\" stroke-width=\"2\"/>\n</g>\n",
      kLeft, kTop, kWidth - kLeft - kRight, kHeight - kTop - kBottom,
      path_data(thinned(points), axes), kRawColour, path_data(thinned(means), axes), kMeanColour);
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
                           grouped_digits(static_cast<std::int64_t>(num_averaged))));
}

}  // namespace

std::string loss_svg(std::span<const StepMetrics> steps, const std::string& title) {
  const std::vector<Point> points = finite_points(steps);
  if (points.empty()) throw UserError("no step with a finite loss to plot");
  const std::vector<Point> means = smoothed(points);
  const Axes axes = axes_of(points, means);

  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#444\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n"
      "<text x=\"{2}\" y=\"28\" font-size=\"16\" fill=\"#111\">{3}</text>\n",
      kWidth, kHeight, kLeft, markup_escaped(visible(title)));
  svg += loss_axis(axes) + step_axis(axes);
  svg += curves(points, means, axes) + legend(2 * half_window(points) + 1);
  svg += fmt::format(
      "<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"#888\"/>\n"
      "<text x=\"{4}\" y=\"{5}\" text-anchor=\"middle\">optimizer step</text>\n"
      "<text transform=\"translate(20 {6}) rotate(-90)\" text-anchor=\"middle\">"
      "loss per target token</text>\n",
      kLeft, kTop, kHeight - kBottom, kWidth - kRight, (kLeft + kWidth - kRight) / 2, kHeight - 12,
      (kTop + kHeight - kBottom) / 2);
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

#include "output/plot_axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "output/number_text.h"

namespace vllama::output {
namespace {

constexpr std::size_t kMaxColumns = 800;

}  // namespace

double PlotAxes::x(double value) const {
  return frame.left +
         (value - x_range.low) / (x_range.high - x_range.low) * (frame.right - frame.left);
}

double PlotAxes::y(double value) const {
  return frame.bottom -
         (value - y_range.low) / (y_range.high - y_range.low) * (frame.bottom - frame.top);
}

double round_interval(double span, double count) {
  const double power = std::pow(10, std::floor(std::log10(span / count)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (span / (factor * power) <= count) return factor * power;
  return 10 * power;
}

std::vector<PlotPoint> thinned(std::span<const PlotPoint> points) {
  if (points.size() <= kMaxColumns) return {points.begin(), points.end()};
  std::vector<PlotPoint> kept;
  for (std::size_t column = 0; column < kMaxColumns; ++column) {
    const std::size_t begin = column * points.size() / kMaxColumns;
    const std::size_t end = (column + 1) * points.size() / kMaxColumns;
    const auto part = points.subspan(begin, end - begin);
    auto [low, high] = std::ranges::minmax_element(part, {}, &PlotPoint::y);
    if (high->x < low->x) std::swap(low, high);
    kept.push_back(*low);
    if (low != high) kept.push_back(*high);
  }
  return kept;
}

std::string path_data(std::span<const PlotPoint> points, const PlotAxes& axes) {
  std::string data;
  for (const PlotPoint& point : points)
    data +=
        fmt::format("{}{:.1f} {:.1f}", data.empty() ? "M" : "L", axes.x(point.x), axes.y(point.y));
  return data;
}

std::string vertical_axis(const PlotAxes& axes, double max_intervals) {
  std::string svg;
  const double span = axes.y_range.high - axes.y_range.low;
  const double interval = round_interval(span, max_intervals);
  const int decimals = std::clamp(-static_cast<int>(std::floor(std::log10(interval))), 0, 9);
  const auto num_intervals = static_cast<int>(std::floor(span / interval + 1e-6));
  for (int i = 0; i <= num_intervals; ++i) {
    const double value = axes.y_range.low + i * interval;
    svg += fmt::format(
        "<path d=\"M{0} {1:.1f}H{2}\" stroke=\"#e3e3e3\"/>"
        "<text x=\"{3}\" y=\"{4:.1f}\" text-anchor=\"end\">{5:.{6}f}</text>\n",
        axes.frame.left, axes.y(value), axes.frame.right, axes.frame.left - 8, axes.y(value) + 4,
        value, decimals);
  }
  return svg;
}

std::string horizontal_axis(const PlotAxes& axes, double max_intervals) {
  std::string svg;
  const auto [low, high] = axes.x_range;
  const double interval = std::max(1.0, round_interval(high - low, max_intervals));
  for (double value = std::ceil(low / interval) * interval; value <= high; value += interval)
    svg += fmt::format(
        "<path d=\"M{0:.1f} {1}v5\" stroke=\"#888\"/>"
        "<text x=\"{0:.1f}\" y=\"{2}\" text-anchor=\"middle\">{3}</text>\n",
        axes.x(value), axes.frame.bottom, axes.frame.bottom + 20,
        grouped_digits(static_cast<std::int64_t>(value)));
  return svg;
}

std::string axis_lines(const PlotFrame& frame) {
  return fmt::format("<path d=\"M{0} {1}V{2}H{3}\" fill=\"none\" stroke=\"#888\"/>\n", frame.left,
                     frame.top, frame.bottom, frame.right);
}

}  // namespace vllama::output

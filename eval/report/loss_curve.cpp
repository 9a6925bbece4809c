#include "eval/report/loss_curve.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vllama::eval {
namespace {

constexpr double kLeft = 64, kRight = 772, kTop = 12, kBottom = 262;

struct Range {
  double low, high;
  double share(double value) const { return (value - low) / (high - low); }
};

Range widened(double low, double high) {
  return high > low ? Range{low, high} : Range{low - 0.5, high + 0.5};
}

double x_of(const Range& steps, double step) {
  return kLeft + steps.share(step) * (kRight - kLeft);
}

double y_of(const Range& losses, double loss) {
  return kBottom - losses.share(loss) * (kBottom - kTop);
}

// About `count` multiples of 1, 2 or 5 times a power of ten.
std::vector<double> ticks(const Range& range, double count) {
  const double rough = (range.high - range.low) / count;
  const double power = std::pow(10, std::floor(std::log10(rough)));
  const double share = rough / power;
  const double spacing = power * (share > 5 ? 10 : share > 2 ? 5 : share > 1 ? 2 : 1);
  std::vector<double> result;
  for (double k = std::ceil(range.low / spacing); k * spacing <= range.high; ++k)
    result.push_back(k * spacing);
  return result;
}

// The lowest and highest point of each column of the picture, in the order of steps.
std::vector<LossPoint> thinned(const std::vector<LossPoint>& points, const Range& steps) {
  const auto column = [&](const LossPoint& point) { return std::floor(x_of(steps, point.step)); };
  std::vector<LossPoint> result;
  for (std::size_t begin = 0, end = 0; begin < points.size(); begin = end) {
    while (end < points.size() && column(points[end]) == column(points[begin])) ++end;
    const auto [lowest, highest] = std::minmax_element(
        points.begin() + static_cast<std::ptrdiff_t>(begin),
        points.begin() + static_cast<std::ptrdiff_t>(end),
        [](const LossPoint& first, const LossPoint& second) { return first.loss < second.loss; });
    result.push_back(*std::min(lowest, highest));
    if (lowest != highest) result.push_back(*std::max(lowest, highest));
  }
  return result;
}

std::string axes(const Range& steps, const Range& losses) {
  std::string svg;
  for (const double loss : ticks(losses, 5)) {
    const double y = y_of(losses, loss);
    svg += fmt::format(
        "<line class=grid x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>"
        "<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{:.4g}</text>",
        kLeft, kRight, y, y, kLeft - 8, y + 4, loss);
  }
  for (const double step : ticks(steps, 7))
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{:.10g}</text>",
                       x_of(steps, step), kBottom + 20, step);
  return svg + fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"end\">step</text>", kRight,
                           kBottom + 36);
}

}  // namespace

std::string loss_curve_svg(std::vector<LossPoint> points) {
  std::erase_if(points, [](const LossPoint& point) {
    return !std::isfinite(point.step) || !std::isfinite(point.loss);
  });
  if (points.size() < 2) return "";
  std::ranges::stable_sort(points, {}, &LossPoint::step);
  const auto [lowest, highest] = std::ranges::minmax(points, {}, &LossPoint::loss);
  const Range steps = widened(points.front().step, points.back().step);
  const Range losses = widened(lowest.loss, highest.loss);
  std::string line;
  for (const LossPoint& point : points.size() > 800 ? thinned(points, steps) : points)
    line += fmt::format("{:.1f},{:.1f} ", x_of(steps, point.step), y_of(losses, point.loss));
  return fmt::format(
      "<svg class=curve viewBox=\"0 0 800 300\" role=\"img\" aria-label=\"Loss by step\">{}"
      "<polyline points=\"{}\"/></svg>",
      axes(steps, losses), line);
}

}  // namespace vllama::eval

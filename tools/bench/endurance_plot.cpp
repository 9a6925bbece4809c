#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "core/terminal_text.h"
#include "output/plot_axes.h"
#include "tools/bench/endurance_report.h"

namespace vllama::tools {
namespace {

using output::PlotAxes;
using output::PlotFrame;
using output::PlotPoint;

constexpr double kWidth = 800, kLeft = 72, kRight = 24, kTop = 32, kBottom = 56;
constexpr double kMemoryHeight = 230, kCountHeight = 72, kGap = 38;  // of and between the panels
constexpr double kHeight = kTop + kMemoryHeight + 3 * (kGap + kCountHeight) + kBottom;
constexpr double kCountIntervals = 8;  // at most, between ticks of the horizontal axis

struct Curve {
  std::string name, colour;
  double name_offset;  // of its name from the end of the line, downwards
  std::function<std::optional<double>(const Reading&)> value;
};

std::vector<output::PlotPoint> points_of(const Endurance& endurance, const Curve& curve) {
  std::vector<output::PlotPoint> points;
  for (const Reading& reading : endurance.readings)
    if (const auto value = curve.value(reading))
      points.push_back({static_cast<double>(reading.count), *value});
  return points;
}

// From 0, so that a rise looks as large as it is; up to a round number above all values.
output::PlotRange range_from_zero(const std::vector<std::vector<output::PlotPoint>>& curves,
                                  double max_intervals) {
  double highest = 1;
  for (const auto& points : curves)
    for (const output::PlotPoint& point : points) highest = std::max(highest, point.y);
  const double interval = std::max(1.0, output::round_interval(1.1 * highest, max_intervals));
  return {0, std::ceil(1.05 * highest / interval) * interval};
}

std::string panel(const Endurance& endurance, const std::string& name,
                  const std::vector<Curve>& curves, double top, double height) {
  const double max_intervals = height / 24;
  std::vector<std::vector<output::PlotPoint>> lines;
  for (const Curve& curve : curves) lines.push_back(points_of(endurance, curve));
  const output::PlotAxes axes = {{kLeft, top, kWidth - kRight, top + height},
                                 {0, static_cast<double>(endurance.readings.back().count)},
                                 range_from_zero(lines, max_intervals)};
  std::string svg = fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", kLeft, top - 8, name);
  svg += output::vertical_axis(axes, max_intervals);
  for (std::size_t i = 0; i < curves.size(); ++i) {
    if (lines[i].empty()) continue;
    svg += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>\n",
                       output::path_data(output::thinned(lines[i]), axes), curves[i].colour);
    if (curves.size() > 1)
      svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\" fill=\"{}\">{}</text>\n",
                         kWidth - kRight - 4, axes.y(lines[i].back().y) + curves[i].name_offset,
                         curves[i].colour, curves[i].name);
  }
  return svg + output::axis_lines(axes.frame);
}

}  // namespace

std::string endurance_svg(const Endurance& endurance) {
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#444\">\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n",
      kWidth, kHeight);
  double top = kTop;
  svg += panel(endurance, "memory, MB",
               {{"resident", "#1f5fa8", -10,
                 [](const Reading& reading) { return reading.usage.resident_megabytes; }},
                {"of it in no file", "#c05a1f", -10,
                 [](const Reading& reading) { return reading.usage.anonymous_megabytes; }},
                {"taken from malloc", "#3a7d34", 18,
                 [](const Reading& reading) { return reading.allocated_megabytes; }}},
               top, kMemoryHeight);
  top += kMemoryHeight + kGap;
  const auto add = [&](const char* name, std::int64_t ProcessUsage::*field) {
    svg += panel(
        endurance, name,
        {{"", "#1f5fa8", 0,
          [field](const Reading& reading) { return static_cast<double>(reading.usage.*field); }}},
        top, kCountHeight);
    top += kCountHeight + kGap;
  };
  add("open files", &ProcessUsage::num_open_files);
  add("threads", &ProcessUsage::num_threads);
  add("mapped regions", &ProcessUsage::num_mappings);
  const output::PlotAxes axes = {{kLeft, kTop, kWidth - kRight, kHeight - kBottom},
                                 {0, static_cast<double>(endurance.readings.back().count)},
                                 {0, 1}};
  svg += output::horizontal_axis(axes, kCountIntervals);
  svg += fmt::format("<text x=\"{}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n",
                     (kLeft + kWidth - kRight) / 2, kHeight - 12, endurance.unit);
  return svg + "</svg>\n";
}

}  // namespace vllama::tools

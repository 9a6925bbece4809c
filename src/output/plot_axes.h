// The parts that the program's pictures of curves have in common: axes with round numbers, lines.
#pragma once

#include <span>
#include <string>
#include <vector>

namespace vllama::output {

struct PlotPoint {
  double x, y;
};

// The rectangle between the axes, in units of the picture, whose vertical axis points down.
struct PlotFrame {
  double left, top, right, bottom;
};

struct PlotRange {
  double low, high;
};

// Maps data to the picture.
struct PlotAxes {
  PlotFrame frame;
  PlotRange x_range, y_range;
  double x(double value) const;
  double y(double value) const;
};

// A round number such that `span` holds about `count` of it: 1, 2 or 5 times a power of ten.
double round_interval(double span, double count);

// At most two points per column of the picture: its lowest and its highest, for up to 800 columns.
std::vector<PlotPoint> thinned(std::span<const PlotPoint> points);

// The `d` of a path through the points.
std::string path_data(std::span<const PlotPoint> points, const PlotAxes& axes);

// Grid lines and numbers of the vertical axis: at most `max_intervals`.
std::string vertical_axis(const PlotAxes& axes, double max_intervals);

// Ticks and whole numbers below the horizontal axis.
std::string horizontal_axis(const PlotAxes& axes, double max_intervals);

// The two lines that meet at the lower left corner.
std::string axis_lines(const PlotFrame& frame);

}  // namespace vllama::output

// Whether a series of readings rises: its slope, with how sure it is, and its rise from the
// beginning to the end.
#pragma once

#include <span>

namespace vllama::tools {

struct Trend {
  double first = 0, last = 0;  // means over the first and the last tenth of the readings
  double slope = 0;            // least squares, per unit of x
  // Half the width of the slope's 95 % confidence interval; infinite when the readings say nothing.
  double slope_margin = 0;
  double difference() const { return last - first; }
};

// `x` rises; as many `y`; at least one. Readings that follow each other are alike, so the interval
// counts n (1 - r) / (1 + r) independent readings, with r the correlation of neighbouring residuals
// (Santer et al. 2000, J. Geophys. Res. 105, 7337).
Trend trend(std::span<const double> x, std::span<const double> y);

// The point that Student's t with `degrees` of freedom (1 or more) exceeds with probability 2.5 %,
// to within 1 % from 2 degrees on.
double student_t_975(double degrees);

}  // namespace vllama::tools

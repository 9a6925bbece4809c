// The loss of a run as a picture inside of a page.
#pragma once

#include <string>
#include <vector>

#include "eval/report/report.h"

namespace vllama::eval {

// An SVG of 800 x 300 with axes. Points that are not finite are left out; beyond 800, each column
// of the picture shows the smallest and the largest loss that fall into it. Empty if fewer than two
// points are left.
std::string loss_curve_svg(std::vector<LossPoint> points);

}  // namespace vllama::eval

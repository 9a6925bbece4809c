// The losses of a run, for the report of an evaluation.
#pragma once

#include <filesystem>
#include <vector>

#include "eval/report/report.h"

namespace vllama::train {

// Of every step in a metrics.jsonl; none if there is no such file.
std::vector<eval::LossPoint> loss_points(const std::filesystem::path& metrics);

}  // namespace vllama::train

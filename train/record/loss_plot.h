// The loss curve of a run as a small picture that needs nothing else to be shown.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "train/record/metrics.h"

namespace vllama::train {

// An SVG of 800 x 450: the loss of every step in a light line, its mean over neighbouring steps in
// a strong one, and axes with round numbers. Steps without a finite loss are left out. Beyond 800
// steps each column of the picture shows the smallest and the largest loss that fall into it, so
// the file stays below about 60 kB. Throws UserError if no step has a finite loss.
std::string loss_svg(std::span<const StepMetrics> steps, const std::string& title);

// Reads a metrics.jsonl and writes the picture. Throws UserError or RunFailure naming the file.
void plot_loss(const std::filesystem::path& metrics_file, const std::filesystem::path& svg_file,
               const std::string& title);

}  // namespace vllama::train

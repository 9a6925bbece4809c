// `vllama bench checkpoint`: how long training pauses for a checkpoint, and how long the disk
// takes.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

void add_bench_checkpoint(CLI::App& bench);

}  // namespace vllama::tools

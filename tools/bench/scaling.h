// vllama bench scaling: a training step on several ranks, split into compute, waiting and
// communication.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

void add_bench_scaling(CLI::App& bench);

}  // namespace vllama::tools

// vllama bench step: how long one optimizer step of the vision branch takes, and where.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

// Adds the subcommand `step` to `bench`.
void add_bench_step(CLI::App& bench);

}  // namespace vllama::tools

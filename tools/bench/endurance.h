// vllama bench endurance: what a long run holds of the system does not grow.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

// Adds the subcommand `endurance` with its own subcommands `data` and `training`.
void add_bench_endurance(CLI::App& bench);

}  // namespace vllama::tools

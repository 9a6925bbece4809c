// vllama bench data: how fast annotations are indexed and examples are built.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

// Adds the subcommand `data` with its own subcommands `index` and `examples`.
void add_bench_data(CLI::App& bench);

}  // namespace vllama::tools

// vllama bench generate: tokens a second, on random weights and prompts.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

void add_bench_generate(CLI::App& bench);

}  // namespace vllama::tools

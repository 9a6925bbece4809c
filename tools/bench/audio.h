// `vllama bench audio`: how fast one core turns a media file's sound into mel clips.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

void add_bench_audio(CLI::App& bench);

}  // namespace vllama::tools

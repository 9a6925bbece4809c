// The benchmark of video decoding: `vllama bench decode FILE...`.
#pragma once

namespace CLI {
class App;
}

namespace vllama::tools {

// Adds the subcommand `decode` to `bench`.
void add_bench_decode(CLI::App& bench);

}  // namespace vllama::tools

// vllama bench: the benchmarks, one subcommand each.
#include <CLI/CLI.hpp>

#include "tools/bench/audio.h"
#include "tools/bench/checkpoint.h"
#include "tools/bench/data.h"
#include "tools/bench/decode.h"
#include "tools/bench/endurance.h"
#include "tools/bench/generate.h"
#include "tools/bench/scaling.h"
#include "tools/bench/step.h"
#include "tools/commands/commands.h"

namespace vllama::tools {

void add_bench(CLI::App& program) {
  CLI::App* bench = program.add_subcommand("bench", "Measure a part of the program.");
  bench->require_subcommand(1);
  bench->footer("Example:\n  vllama bench step --config 100m --json");
  add_bench_decode(*bench);
  add_bench_data(*bench);
  add_bench_step(*bench);
  add_bench_audio(*bench);
  add_bench_checkpoint(*bench);
  add_bench_endurance(*bench);
  add_bench_scaling(*bench);
  add_bench_generate(*bench);
}

}  // namespace vllama::tools

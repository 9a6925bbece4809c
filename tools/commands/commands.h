// The subcommands of the program; each adds itself to the command line and runs when it is chosen.
#pragma once

#include <CLI/App.hpp>

namespace vllama::tools {

// `exit_status` becomes 128 + n when signal n ended the run after saving.
void add_train(CLI::App& program, int& exit_status);
// `exit_status` becomes 2 when problems were found.
void add_check(CLI::App& program, int& exit_status);
void add_import_config(CLI::App& program);
void add_show(CLI::App& program);
void add_export(CLI::App& program);
void add_inspect(CLI::App& program);
void add_tokenize(CLI::App& program);
void add_make_weights(CLI::App& program);
void add_convert(CLI::App& program);
void add_toy_world(CLI::App& program);
void add_chat(CLI::App& program);
void add_eval(CLI::App& program);
void add_compare(CLI::App& program);
void add_read_judge(CLI::App& program);
void add_bench(CLI::App& program);
// `exit_status` becomes 1 when a gate failed.
void add_toy_base(CLI::App& program, int& exit_status);

}  // namespace vllama::tools

// vllama compare: two evaluations of the same questions, side by side.
#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>

#include "eval/evaluate/compare_results.h"
#include "tools/commands/commands.h"

namespace vllama::tools {

void add_compare(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "compare", "Compare two evaluations, with a paired bootstrap over their questions.");
  command->footer("Example:\n  vllama compare results/before results/after");
  const auto first = std::make_shared<std::string>(), second = std::make_shared<std::string>();
  command->add_option("first", *first, "output_dir of an evaluation")->required();
  command->add_option("second", *second, "output_dir of another")->required();
  command->callback(
      [=] { std::cout << eval::comparison_text(eval::compare_results(*first, *second)); });
}

}  // namespace vllama::tools

#include "eval/evaluate/score_table.h"

#include <fmt/format.h>

#include "core/wrapped_text.h"

namespace vllama::eval {
namespace {

void add_line(std::string& table, const std::string& task, const std::string& name,
              const Score& score) {
  table += fmt::format("{:<24} {:<28} {:>9.4f}  [{:.4f}, {:.4f}]{}{:>8} {:>8}\n", task, name,
                       score.value, score.low, score.high, score.is_wilson ? '*' : ' ',
                       score.num_scored, score.num_missing);
}

void add_score(std::string& table, const std::string& task, const Score& score) {
  add_line(table, task, score.name, score);
  for (const Score& part : score.parts) add_line(table, "", "  " + part.name, part);
}

}  // namespace

std::string score_table(const EvalResult& result) {
  std::string table = fmt::format("{:<24} {:<28} {:>9}  {:<16} {:>8} {:>8}\n", "task", "metric",
                                  "value", "95 % interval", "answered", "missing");
  for (const TaskResult& task : result.tasks)
    for (const Score& score : task.scores) add_score(table, task.config.name, score);
  for (const Score& score : result.losses) add_score(table, "loss", score);
  if (table.find("]*") != std::string::npos)
    table += "* all answers are alike: Wilson's interval\n";
  for (const TaskResult& task : result.tasks)
    for (const std::string& note : task.notes)
      table +=
          fmt::format("\n{}", wrapped(fmt::format("{}: {}", task.config.name, note), kHelpColumns));
  return table;
}

}  // namespace vllama::eval

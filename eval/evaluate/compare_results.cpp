#include "eval/evaluate/compare_results.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "eval/evaluate/answers.h"
#include "eval/evaluate/measure_task.h"
#include "eval/evaluate/settings_file.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> tasks_in(const fs::path& results) {
  std::vector<std::string> tasks;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(results, error))
    if (fs::exists(entry.path() / kPredictionsFile))
      tasks.push_back(entry.path().filename().string());
  if (error)
    throw UserError(fmt::format("cannot list '{}': {}", results.string(), error.message()));
  std::sort(tasks.begin(), tasks.end());
  return tasks;
}

TaskComparison compare_task(const fs::path& first, const fs::path& second,
                            const BootstrapOptions& options) {
  const TaskConfig task = task_of_folder(first);
  const auto of_first = measure_task(task, read_predictions(first / kPredictionsFile));
  const auto of_second =
      measure_task(task_of_folder(second), read_predictions(second / kPredictionsFile));
  TaskComparison comparison{.task = task.name, .metrics = {}};
  for (const Measurement& measured : of_first) {
    const auto same = std::ranges::find(of_second, measured.name, &Measurement::name);
    if (same != of_second.end()) comparison.metrics.push_back(compare(measured, *same, options));
  }
  if (comparison.metrics.empty())
    throw UserError(fmt::format("the task '{}' has other metrics in the two results", task.name));
  return comparison;
}

}  // namespace

std::vector<TaskComparison> compare_results(const fs::path& first, const fs::path& second,
                                            const BootstrapOptions& options) {
  const auto in_second = tasks_in(second);
  std::vector<TaskComparison> comparisons;
  for (const std::string& task : tasks_in(first))
    if (std::ranges::binary_search(in_second, task))
      comparisons.push_back(compare_task(first / task, second / task, options));
  if (comparisons.empty())
    throw UserError(fmt::format("'{}' and '{}' have no finished task in common", first.string(),
                                second.string()));
  return comparisons;
}

std::string comparison_text(const std::vector<TaskComparison>& comparisons) {
  std::string text = fmt::format("{:<24} {:<28} {:>9} {:>9} {:>10}  {:<20} {:>7}\n", "task",
                                 "metric", "first", "second", "difference", "95 % interval", "p");
  for (const TaskComparison& task : comparisons)
    for (const Comparison& metric : task.metrics)
      text +=
          fmt::format("{:<24} {:<28} {:>9.4f} {:>9.4f} {:>+10.4f}  [{:+.4f}, {:+.4f}]{} {:>7.3f}\n",
                      task.task, metric.name, metric.first, metric.second, metric.difference,
                      metric.low, metric.high, metric.is_wilson ? "* " : "  ", metric.p_value);
  const bool has_wilson = std::ranges::any_of(comparisons, [](const TaskComparison& task) {
    return std::ranges::any_of(task.metrics, &Comparison::is_wilson);
  });
  return has_wilson ? text + "* all differences are alike: Wilson's interval\n" : text;
}

}  // namespace vllama::eval

// vllama read-judge: scores that a judge outside of this program gave to answers.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/sha256.h"
#include "eval/evaluate/answers.h"
#include "eval/evaluate/write_results.h"
#include "eval/scores/judge_files.h"
#include "eval/scores/score.h"
#include "eval/tasks/annotation_rows.h"
#include "tables/json_fields.h"
#include "tools/commands/commands.h"

namespace vllama::tools {
namespace {

struct ReadJudgeArguments {
  std::string task_folder, replies, prompt_file;
  eval::JudgeFacts facts;
};

// In the order in which the judge was asked.
std::vector<eval::Prediction> judged_predictions(const std::filesystem::path& folder) {
  std::map<std::string, eval::Prediction> by_id;
  for (auto& found : eval::read_predictions(folder / eval::kPredictionsFile))
    by_id.emplace(found.id, std::move(found));
  std::vector<eval::Prediction> predictions;
  const std::filesystem::path order = folder / eval::kJudgeIdsFile;
  eval::AnnotationRows rows;
  eval::for_each_row(order, rows, [&](const eval::Row& row, std::size_t) {
    const auto found = by_id.find(tables::required_text(row, "id"));
    if (found == by_id.end())
      throw UserError(fmt::format("'{}' and '{}' in '{}' are not of the same evaluation",
                                  eval::kPredictionsFile, eval::kJudgeIdsFile, folder.string()));
    predictions.push_back(found->second);
  });
  // Without one of its rows the replies to all that follow would be taken for others.
  if (rows.left_out.total() > 0)
    throw UserError(fmt::format("'{}' is damaged: {}; vllama eval writes it anew", order.string(),
                                rows.left_out.summary()));
  return predictions;
}

void run(ReadJudgeArguments arguments) {
  const std::filesystem::path folder = arguments.task_folder;
  arguments.facts.prompt_hash = sha256(read_file(arguments.prompt_file));
  const auto predictions = judged_predictions(folder);
  const auto replies = eval::read_judge_replies(arguments.replies, predictions);
  if (!replies.unreadable.empty())
    log::warn("{} replies cannot be read and count as not there, the first is {}",
              replies.unreadable.size(), replies.unreadable.front());
  nlohmann::ordered_json scores = nlohmann::ordered_json::array();
  for (const auto& measurement :
       eval::judge_measurements(predictions, replies.of_predictions, arguments.facts)) {
    const eval::Score score = eval::score(measurement);
    std::cout << fmt::format("{:<16} {:.4f}  [{:.4f}, {:.4f}]  {} judged, {} without a reply\n",
                             score.name, score.value, score.low, score.high, score.num_scored,
                             score.num_missing);
    scores.push_back(eval::score_json(score));
    if (!replies.unreadable.empty())
      scores.back()["num_unreadable_replies"] = replies.unreadable.size();
  }
  write_file_atomically(folder / "judge_scores.json", scores.dump(1) + "\n");
}

}  // namespace

void add_read_judge(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "read-judge",
      "Read the replies of a judge to judge.json, and keep its scores with its name.");
  command->footer(
      "Example:\n  vllama read-judge results/activitynet replies.json --judge gpt-3.5-turbo "
      "--judge-version 0613 --prompt-file prompt.txt --date 2024-02-01");
  const auto arguments = std::make_shared<ReadJudgeArguments>();
  command->add_option("task", arguments->task_folder, "folder of a task below output_dir")
      ->required();
  command->add_option("replies", arguments->replies, "JSON of the judging program")->required();
  command->add_option("--judge", arguments->facts.name, "name of the judge")->required();
  command->add_option("--judge-version", arguments->facts.version, "its version")->required();
  command->add_option("--prompt-file", arguments->prompt_file, "the text that asked the judge")
      ->required();
  command->add_option("--date", arguments->facts.date, "of judging, YYYY-MM-DD")->required();
  command->callback([arguments] { run(*arguments); });
}

}  // namespace vllama::tools

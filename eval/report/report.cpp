#include "eval/report/report.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace vllama::eval {

using nlohmann::ordered_json;

ordered_json report_json(const ReportData& data) {
  ordered_json object;
  object["title"] = data.title;
  object["num_questions"] = data.predictions.size();
  object["num_left_out"] = data.num_left_out;
  object["scores"] = ordered_json::array();
  for (const Score& score : data.scores) object["scores"].push_back(score_json(score));
  if (!data.notes.empty()) object["notes"] = data.notes;
  object["missing"] = ordered_json::array();
  for (const Prediction& prediction : data.predictions)
    if (prediction.is_missing())
      object["missing"].push_back({{"id", prediction.id}, {"status", prediction.status}});
  if (!data.comparisons.empty()) {
    object["comparison"] = {{"first", data.first_run}, {"second", data.second_run}};
    for (const Comparison& comparison : data.comparisons)
      object["comparison"]["scores"].push_back(comparison_json(comparison));
  }
  object["hashes"] = data.hashes;
  object["versions"] = data.versions;
  object["config"] = data.config_text;
  return object;
}

void write_report(const std::filesystem::path& folder, const ReportData& data) {
  const std::string page = report_html(data);
  std::error_code problem;
  std::filesystem::create_directories(folder, problem);
  if (problem)
    throw RunFailure(fmt::format("cannot create '{}': {}", folder.string(), problem.message()));
  const std::string object =
      report_json(data).dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
  write_file_atomically(folder / "report.json", object + "\n");
  write_file_atomically(folder / "report.html", page);
}

}  // namespace vllama::eval

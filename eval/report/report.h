// The report of an evaluation: for programs as JSON, for people as one page that needs nothing
// else.
#pragma once

#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "eval/scores/prediction.h"
#include "eval/scores/score.h"

namespace vllama::eval {

struct LossPoint {
  double step, loss;
};

struct ReportData {
  std::string title;
  std::vector<Score> scores;
  std::vector<std::string> notes = {};  // on how to read them
  std::int64_t num_left_out = 0;        // broken rows of the annotations
  // In annotation order. Shown in the gallery; those without an answer are listed in the JSON.
  std::vector<Prediction> predictions;
  // What the gallery calls right (1 and more), wrong (0 and less) or partly right (between), one
  // per prediction: mostly Score::per_sample of the main metric. Empty, or NaN: not judged.
  std::vector<double> values = {};
  std::string value_name = {};  // of the metric that they are of
  // Frames of each video, by its name in the predictions, as whole PNG or JPEG files.
  std::map<std::string, std::vector<std::string>> thumbnails = {};
  std::vector<LossPoint> loss = {};  // of the run; empty: no curve
  // Against another run; empty: none.
  std::vector<Comparison> comparisons = {};
  std::string first_run = {}, second_run = {};  // names of the runs that are compared
  std::string config_text = {};
  std::map<std::string, std::string> hashes = {};    // of predictions, annotation, checkpoint, ...
  std::map<std::string, std::string> versions = {};  // of the program, ...
};

// {"title", "num_questions", "num_left_out", "scores", "notes" if there are any, "missing": [{"id",
// "status"}], "comparisons", "hashes", "versions", "config"}.
nlohmann::ordered_json report_json(const ReportData& data);

// A whole HTML page: styles, script, pictures and data inside, nothing is loaded. A pure function
// of `data`. Every text is shown as text, whatever is in it; bytes that are not UTF-8 are replaced.
// Stays quick with many thousand predictions: it builds 24 of them at a time. Throws UserError for
// a thumbnail that is neither PNG nor JPEG.
std::string report_html(const ReportData& data);

// Writes report.json and report.html into `folder`, which is made if it is not there. Throws as
// above, and RunFailure if a file cannot be written.
void write_report(const std::filesystem::path& folder, const ReportData& data);

}  // namespace vllama::eval

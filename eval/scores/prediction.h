// What a model answered to one question, and the file of all answers of a run.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace vllama::eval {

inline constexpr const char* kStatusOk = "ok";
inline constexpr const char* kNothingShown = "nothing";  // Prediction::shown

struct Prediction {
  std::string id = {};                       // unique in the file, not empty
  std::string video = {};                    // name of the medium
  std::string shown = {};                    // in place of it: another, or nothing; empty: itself
  std::string question = {};                 // may be empty (captions)
  std::string type = {};                     // question type or task; empty: none
  std::vector<std::string> references = {};  // right answers
  std::string prediction = {};
  std::vector<std::string> options = {};   // multiple choice: all options, the right one included
  std::vector<double> option_scores = {};  // log-likelihood of each option; empty: not measured
  // Of a choice by likelihood: what the model writes when it is asked the same; none: not measured.
  std::optional<std::string> in_words = {};
  std::int64_t num_frames = 0;     // that the model was shown
  std::string template_name = {};  // prompt layout
  std::string status = kStatusOk;  // or the reason why there is no answer

  // The medium as reports call it.
  std::string medium_name() const { return shown.empty() ? video : shown + " for " + video; }
  bool is_missing() const { return status != kStatusOk; }
  bool operator==(const Prediction&) const = default;
};

// Writes one JSON object per line, sorted by id, with the keys id, video, question, answer_gt
// (text, or a list unless there is exactly one), prediction, n_frames, template, status, and shown,
// type, options, option_scores, in_words where there are any. The file appears whole or not at all.
// Throws RunFailure when an option score is not finite, an id is empty or occurs twice, or the file
// cannot be written.
void write_predictions(const std::filesystem::path& path, std::vector<Prediction> predictions);

// One line of that file, without the line end.
std::string prediction_line(const Prediction& prediction);

// In the order of the file. Throws UserError with file and line for what is not JSON, unknown or
// absent keys, values of another type and ids that occur twice, and for a file without lines.
std::vector<Prediction> read_predictions(const std::filesystem::path& path);

// What is wrong with a line that is not JSON, with file and line.
using OnDamage = std::function<void(const std::string& what)>;
// The same, but lines that are not JSON are left out and told of; nothing may remain.
std::vector<Prediction> read_predictions(const std::filesystem::path& path,
                                         const OnDamage& on_damage);

// `line` as a prediction; `where` (file and line) begins every message. Throws UserError.
Prediction parse_prediction(const std::string& line, const std::string& where);
// The same; of what is not JSON `on_damage` is told, and nothing comes back.
std::optional<Prediction> parse_prediction(const std::string& line, const std::string& where,
                                           const OnDamage& on_damage);

struct Matched {
  std::vector<Prediction> predictions;   // one per expected question, in their order
  std::vector<std::string> missing_ids;  // those that had no line, in the same order
};

// Brings predictions into the order of the annotation. `expected` holds a question per entry, whose
// video, question, type, references and options replace those of the prediction. A question without
// a line gets an empty answer and the status "no prediction". Throws UserError for ids that the
// annotation does not have, and for a prediction made for another question text.
Matched match(const std::vector<Prediction>& predictions, const std::vector<Prediction>& expected);

}  // namespace vllama::eval

#include "eval/scores/prediction.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <unordered_map>
#include <unordered_set>

#include "core/error.h"
#include "core/files.h"
#include "core/text_encoding.h"
#include "eval/scores/json_members.h"

namespace vllama::eval {
namespace {

using nlohmann::json;

constexpr std::size_t kMostNamed = 5;  // ids that a message lists

constexpr std::array kKeys = {"id",         "video",         "shown",    "question", "answer_gt",
                              "prediction", "n_frames",      "template", "status",   "type",
                              "options",    "option_scores", "in_words"};

std::vector<std::string> references_of(const JsonMembers& members) {
  const json& value = members.required("answer_gt");
  if (value.is_string()) return {value.get<std::string>()};
  return members.texts("answer_gt");
}

void require_finite(const Prediction& prediction) {
  for (const double score : prediction.option_scores)
    if (!std::isfinite(score))
      throw RunFailure(
          fmt::format("question '{}': an option has the likelihood {}", prediction.id, score));
}

std::string some_of(const std::vector<std::string>& ids) {
  const std::size_t num_shown = std::min(ids.size(), kMostNamed);
  return fmt::format("'{}'{}",
                     fmt::join(ids.begin(), ids.begin() + static_cast<long>(num_shown), "', '"),
                     num_shown < ids.size() ? ", ..." : "");
}

Prediction prediction_from(const json& object, const std::string& where) {
  const JsonMembers members(object, where);
  members.allow_only(kKeys);
  Prediction prediction;
  prediction.id = members.text("id");
  if (prediction.id.empty()) members.fail("'id' is empty");
  prediction.video = members.text("video");
  if (members.has("shown")) prediction.shown = members.text("shown");
  prediction.question = members.text("question");
  prediction.type = members.has("type") ? members.text("type") : "";
  prediction.references = references_of(members);
  prediction.prediction = members.text("prediction");
  if (members.has("options")) prediction.options = members.texts("options");
  if (members.has("option_scores")) prediction.option_scores = members.numbers("option_scores");
  if (members.has("in_words")) prediction.in_words = members.text("in_words");
  prediction.num_frames = members.count("n_frames");
  prediction.template_name = members.text("template");
  prediction.status = members.text("status");
  if (prediction.status.empty()) members.fail("'status' is empty; it must be ok or a reason");
  if (!prediction.option_scores.empty() && !prediction.options.empty() &&
      prediction.option_scores.size() != prediction.options.size())
    members.fail(fmt::format("{} 'option_scores' for {} 'options'", prediction.option_scores.size(),
                             prediction.options.size()));
  return prediction;
}

// What parse_prediction() says of it, and how it becomes lines.
[[noreturn]] void refuse_array(const std::string& line, const std::string& where) {
  try {
    parse_prediction(line, where);
  } catch (const UserError& error) {
    throw UserError(fmt::format(
        "{}; the file is a JSON array, and predictions have one object per line, as jq -c '.[]' "
        "writes them",
        error.what()));
  }
  VLLAMA_ASSERT(false, "an array is no prediction");
}

}  // namespace

std::string prediction_line(const Prediction& prediction) {
  require_finite(prediction);
  nlohmann::ordered_json line;
  line["id"] = prediction.id;
  line["video"] = prediction.video;
  if (!prediction.shown.empty()) line["shown"] = prediction.shown;
  line["question"] = prediction.question;
  if (!prediction.type.empty()) line["type"] = prediction.type;
  if (prediction.references.size() == 1)
    line["answer_gt"] = prediction.references.front();
  else
    line["answer_gt"] = prediction.references;
  line["prediction"] = prediction.prediction;
  if (!prediction.options.empty()) line["options"] = prediction.options;
  if (!prediction.option_scores.empty()) line["option_scores"] = prediction.option_scores;
  if (prediction.in_words) line["in_words"] = *prediction.in_words;
  line["n_frames"] = prediction.num_frames;
  line["template"] = prediction.template_name;
  line["status"] = prediction.status;
  // A model may write broken characters; a file of predictions must be readable all the same.
  return line.dump(-1, ' ', false, json::error_handler_t::replace);
}

void write_predictions(const std::filesystem::path& path, std::vector<Prediction> predictions) {
  // One order whatever the number of ranks and workers: equal runs make equal files.
  std::ranges::sort(predictions, {}, &Prediction::id);
  AtomicFile file(path);
  const Prediction* previous = nullptr;
  for (const Prediction& prediction : predictions) {
    if (prediction.id.empty()) throw RunFailure("a prediction has an empty id");
    if (previous != nullptr && previous->id == prediction.id)
      throw RunFailure(fmt::format("two predictions have the id '{}'", prediction.id));
    file.append(prediction_line(prediction) + "\n");
    previous = &prediction;
  }
  file.commit();
}

Prediction parse_prediction(const std::string& line, const std::string& where) {
  return prediction_from(parse_json(line, where), where);
}

std::optional<Prediction> parse_prediction(const std::string& line, const std::string& where,
                                           const OnDamage& on_damage) {
  json object;
  try {
    object = parse_json(line, where);
  } catch (const UserError& error) {
    on_damage(error.what());
    return std::nullopt;
  }
  return prediction_from(object, where);
}

std::vector<Prediction> read_predictions(const std::filesystem::path& path,
                                         const OnDamage& on_damage) {
  const std::string content = read_text_file(path);
  if (content.empty())
    throw UserError(fmt::format("'{}' holds no predictions: the file is empty", path.string()));
  std::vector<Prediction> predictions;
  std::unordered_map<std::string, std::size_t> line_of_id;
  std::size_t line_number = 0;
  for (std::size_t begin = 0, end = 0; begin < content.size(); begin = end + 1) {
    end = std::min(content.find('\n', begin), content.size());
    const std::string where = fmt::format("'{}':{}", path.string(), ++line_number);
    const std::string line = content.substr(begin, end - begin);
    if (line.starts_with('[')) refuse_array(line, where);
    auto prediction = parse_prediction(line, where, on_damage);
    if (!prediction) continue;
    const auto [known, is_new] = line_of_id.emplace(prediction->id, line_number);
    if (!is_new)
      throw UserError(fmt::format("{}: the id '{}' is already on line {}; remove one of the two",
                                  where, known->first, known->second));
    predictions.push_back(std::move(*prediction));
  }
  return predictions;
}

std::vector<Prediction> read_predictions(const std::filesystem::path& path) {
  return read_predictions(path, [](const std::string& what) { throw UserError(what); });
}

Matched match(const std::vector<Prediction>& predictions, const std::vector<Prediction>& expected) {
  std::unordered_map<std::string, const Prediction*> by_id;
  for (const Prediction& prediction : predictions)
    if (!by_id.emplace(prediction.id, &prediction).second)
      throw UserError(fmt::format("two predictions have the id '{}'", prediction.id));
  std::unordered_set<std::string> asked;
  Matched matched;
  for (const Prediction& question : expected) {
    if (!asked.insert(question.id).second)
      throw UserError(fmt::format("the annotation has the id '{}' twice", question.id));
    const auto found = by_id.find(question.id);
    Prediction& result = matched.predictions.emplace_back(question);
    // Stays in, as wrong as an answer can be: scores of those alone that were answered would be
    // another number.
    if (found == by_id.end()) {
      result.prediction.clear();
      result.option_scores.clear();
      result.in_words.reset();
      result.num_frames = 0;
      result.status = "no prediction";
      matched.missing_ids.push_back(question.id);
      continue;
    }
    const Prediction& answer = *found->second;
    // Ids are often plain numbers, which another file has too.
    if (answer.question != question.question)
      throw UserError(fmt::format(
          "the prediction with id '{}' answers '{}', but the annotation asks '{}': the predictions "
          "were made with another annotation file",
          question.id, answer.question, question.question));
    result.shown = answer.shown;
    result.prediction = answer.prediction;
    result.option_scores = answer.option_scores;
    result.in_words = answer.in_words;
    result.num_frames = answer.num_frames;
    result.template_name = answer.template_name;
    result.status = answer.status;
  }
  std::vector<std::string> unknown;
  for (const Prediction& prediction : predictions)
    if (!asked.contains(prediction.id)) unknown.push_back(prediction.id);
  if (!unknown.empty())
    throw UserError(fmt::format(
        "{} of {} predictions have ids that the annotation does not have ({}): give the annotation "
        "that they were made with",
        unknown.size(), predictions.size(), some_of(unknown)));
  return matched;
}

}  // namespace vllama::eval

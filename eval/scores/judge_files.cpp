#include "eval/scores/judge_files.h"

#include <fmt/format.h>

#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <unordered_map>

#include "core/error.h"
#include "core/files.h"
#include "core/json_depth.h"
#include "eval/scores/json_members.h"
#include "eval/scores/python_dictionary.h"
#include "eval/scores/words.h"
#include "tables/annotation_text.h"
#include "tables/json_array.h"

namespace vllama::eval {
namespace {

using nlohmann::json;
using nlohmann::ordered_json;

std::string answer_of(const Prediction& prediction) {
  if (prediction.references.empty())
    throw UserError(fmt::format("question '{}' has no reference ('answer_gt')", prediction.id));
  return prediction.references.front();
}

std::string reply_of(const Prediction& prediction) {
  return prediction.is_missing() ? "" : prediction.prediction;
}

void write_rows(const std::filesystem::path& path, std::size_t num_rows,
                const std::function<ordered_json(std::size_t)>& row) {
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < num_rows; ++i) rows.push_back(row(i));
  write_file_atomically(path, rows.dump(1, ' ', false, json::error_handler_t::replace) + "\n");
}

// The part without a fraction. A judge may also write a whole number as text.
std::int64_t whole_score(const json& value, const JsonMembers& members) {
  double score = -1;
  if (value.is_number()) score = value.get<double>();
  if (value.is_string()) {
    const std::string digits = stripped(value.get<std::string>());
    if (digits.size() == 1 && digits[0] >= '0' && digits[0] <= '9') score = digits[0] - '0';
  }
  if (!(score >= 0 && score < 6))
    members.fail(fmt::format("'score' must be a number from 0 to 5, not {}",
                             value.dump(-1, ' ', false, json::error_handler_t::replace)));
  return static_cast<std::int64_t>(score);
}

JudgeReply reply_from(const json& object, const std::string& where) {
  const JsonMembers members(object, where);
  JudgeReply reply{.is_there = true, .verdict = "", .score = 0};
  if (members.has("pred")) reply.verdict = lower_ascii(members.text("pred"));
  reply.score = whole_score(members.required("score"), members);
  return reply;
}

// {"pred", "score"}, its text, or a list that begins with either.
JudgeReply reply_from_member(const json& value, const std::string& where) {
  const json& reply = value.is_array() && !value.empty() ? value.front() : value;
  return reply.is_string() ? parse_judge_reply(reply.get<std::string>(), where)
                           : reply_from(reply, where);
}

void require_facts(const JudgeFacts& facts) {
  const std::vector<std::pair<const char*, const std::string*>> fields = {
      {"name", &facts.name}, {"version", &facts.version}, {"prompt hash", &facts.prompt_hash}};
  for (const auto& [what, value] : fields)
    if (stripped(*value).empty())
      throw UserError(
          fmt::format("the judge's {} is not given; without it its scores cannot be "
                      "compared with any others",
                      what));
  bool is_date = facts.date.size() == 10;
  for (std::size_t i = 0; is_date && i < facts.date.size(); ++i)
    is_date =
        i == 4 || i == 7 ? facts.date[i] == '-' : facts.date[i] >= '0' && facts.date[i] <= '9';
  if (!is_date)
    throw UserError(fmt::format("the date of judging must be YYYY-MM-DD, not '{}'", facts.date));
}

bool has(const std::string& text, const char* part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

void write_judge_file(const std::filesystem::path& path,
                      const std::vector<Prediction>& predictions) {
  write_rows(path, predictions.size(), [&](std::size_t i) {
    const Prediction& prediction = predictions[i];
    return ordered_json{{"video_name", prediction.video},
                        {"Q", prediction.question},
                        {"A", answer_of(prediction)},
                        {"pred", reply_of(prediction)}};
  });
}

void write_judge_file_with_ids(const std::filesystem::path& path,
                               const std::vector<Prediction>& predictions) {
  write_rows(path, predictions.size(), [&](std::size_t i) {
    const Prediction& prediction = predictions[i];
    return ordered_json{{"id", prediction.id},
                        {"question", prediction.question},
                        {"answer", answer_of(prediction)},
                        {"pred", reply_of(prediction)}};
  });
}

void write_judge_consistency_file(const std::filesystem::path& path,
                                  const std::vector<Prediction>& first,
                                  const std::vector<Prediction>& second) {
  if (first.size() != second.size())
    throw UserError(fmt::format("{} first and {} second questions: consistency needs pairs",
                                first.size(), second.size()));
  write_rows(path, first.size(), [&](std::size_t i) {
    if (first[i].video != second[i].video)
      throw UserError(
          fmt::format("the questions '{}' and '{}' are a pair, but of the videos '{}' "
                      "and '{}'",
                      first[i].id, second[i].id, first[i].video, second[i].video));
    return ordered_json{{"video_name", first[i].video}, {"Q1", first[i].question},
                        {"Q2", second[i].question},     {"A", answer_of(first[i])},
                        {"pred1", reply_of(first[i])},  {"pred2", reply_of(second[i])}};
  });
}

std::vector<std::string> judge_keys(const std::vector<Prediction>& predictions) {
  std::unordered_map<std::string, std::int64_t> num_seen;
  std::vector<std::string> keys;
  for (const Prediction& prediction : predictions)
    keys.push_back(fmt::format("{}_{}", prediction.video, num_seen[prediction.video]++));
  return keys;
}

JudgeReply parse_judge_reply(const std::string& text, const std::string& where) {
  const json object =
      is_nested_too_deep(text) ? json() : json::parse(text, nullptr, /*allow_exceptions=*/false);
  return reply_from(object.is_object() ? object : parse_python_dictionary(text, where), where);
}

JudgeReplies read_judge_replies(const std::filesystem::path& path,
                                const std::vector<Prediction>& predictions) {
  const std::string file = fmt::format("'{}'", path.string());
  const tables::AnnotationText content(path);
  const auto text_of = [&](const tables::JsonExtent& extent) {
    return std::string(content.text().substr(extent.begin, extent.length));
  };
  std::unordered_map<std::string, std::size_t> place_of;
  for (const std::string& key : judge_keys(predictions)) place_of.emplace(key, place_of.size());
  JudgeReplies replies;
  replies.of_predictions.resize(predictions.size());
  const auto members = tables::find_members(content);
  if (members.empty()) throw UserError(file + ": holds no replies");
  for (const auto& member : members) {
    // A key that is not JSON is told of as it is written.
    const json key = json::parse(text_of(member.key), nullptr, /*allow_exceptions=*/false);
    const std::string name = key.is_string() ? key.get<std::string>() : text_of(member.key);
    const auto found = place_of.find(name);
    if (found == place_of.end() && key.is_string())
      throw UserError(
          fmt::format("{}: the key '{}' belongs to no prediction; the file must have been made "
                      "from these predictions",
                      file, name));
    const std::string where = fmt::format("{}: '{}'", file, name);
    try {
      if (found == place_of.end()) throw UserError(where + ": the key is not JSON");
      replies.of_predictions[found->second] =
          reply_from_member(parse_json(text_of(member.value), where), where);
    } catch (const UserError& error) {
      replies.unreadable.emplace_back(error.what());
    }
  }
  if (replies.unreadable.size() == members.size()) throw UserError(replies.unreadable.front());
  return replies;
}

std::vector<Measurement> judge_measurements(const std::vector<Prediction>& predictions,
                                            const std::vector<JudgeReply>& replies,
                                            const JudgeFacts& facts) {
  VLLAMA_ASSERT(predictions.size() == replies.size(), "one reply, there or not, per prediction");
  require_facts(facts);
  Measurement accuracy = empty_measurement("judge_accuracy", predictions);
  accuracy.num_statistics = 2;
  accuracy.value = ratio_of_sums;
  accuracy.scale = Scale{};
  accuracy.num_counted = [](std::span<const double> sums) { return sums[1]; };
  accuracy.facts = {{"judge", facts.name},
                    {"judge_version", facts.version},
                    {"judge_prompt_hash", facts.prompt_hash},
                    {"judge_date", facts.date}};
  Measurement score = accuracy;
  score.name = "judge_score";
  score.scale = Scale{.lowest = 0, .highest = 5};
  bool has_verdicts = false, has_replies = false, has_types = false;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    const JudgeReply& reply = replies[i];
    const bool is_yes = has(reply.verdict, "yes");
    const bool is_judged = reply.is_there && (is_yes || has(reply.verdict, "no"));
    accuracy.statistics.insert(accuracy.statistics.end(), {double(is_yes), double(is_judged)});
    accuracy.is_missing[i] = !is_judged;
    accuracy.parts.push_back(predictions[i].type);
    score.statistics.insert(score.statistics.end(),
                            {static_cast<double>(reply.score), double(reply.is_there)});
    score.per_sample.push_back(static_cast<double>(reply.score));
    score.is_missing[i] = !reply.is_there;
    has_verdicts = has_verdicts || is_judged;
    has_replies = has_replies || reply.is_there;
    has_types = has_types || !predictions[i].type.empty();
  }
  if (!has_replies) throw UserError("the judge replied to none of the predictions");
  accuracy.per_sample.assign(replies.size(), 0);
  for (std::size_t i = 0; i < replies.size(); ++i)
    accuracy.per_sample[i] = accuracy.statistics[2 * i];
  if (!has_types) accuracy.parts.clear();
  score.parts = accuracy.parts;
  if (!has_verdicts) return {score};
  return {accuracy, score};
}

}  // namespace vllama::eval

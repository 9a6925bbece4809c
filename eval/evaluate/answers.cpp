#include "eval/evaluate/answers.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPartPrefix = "answers_";

std::vector<fs::path> parts_in(const fs::path& folder) {
  std::vector<fs::path> parts;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.path().filename().string().starts_with(kPartPrefix)) parts.push_back(entry.path());
  std::sort(parts.begin(), parts.end());
  return parts;
}

// Whole lines; what stands behind the last line end was cut off.
std::vector<Prediction> read_part(const fs::path& part, const OnDamage& on_damage) {
  const std::string text = read_file(part);
  std::vector<Prediction> predictions;
  std::int64_t number = 0;
  for (std::size_t begin = 0, end; (end = text.find('\n', begin)) != std::string::npos;
       begin = end + 1)
    if (auto found =
            parse_prediction(text.substr(begin, end - begin),
                             fmt::format("'{}': line {}", part.string(), ++number), on_damage))
      predictions.push_back(std::move(*found));
  return predictions;
}

}  // namespace

std::vector<QuestionGroup> groups_of(std::size_t num_questions, std::int64_t group_size) {
  const auto size = static_cast<std::size_t>(group_size);
  std::vector<QuestionGroup> groups;
  for (std::size_t begin = 0; begin < num_questions; begin += size)
    groups.push_back({begin, std::min(begin + size, num_questions)});
  return groups;
}

AnswerFolder::AnswerFolder(fs::path folder) : folder_(std::move(folder)) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error)
    throw UserError(
        fmt::format("cannot make the folder '{}': {}", folder_.string(), error.message()));
}

fs::path AnswerFolder::part(std::int64_t rank) const {
  return folder_ / fmt::format("{}{:04}.jsonl", kPartPrefix, rank);
}

std::vector<Prediction> AnswerFolder::collect(const std::vector<Question>& questions) const {
  std::map<std::string, Prediction> answers;
  std::int64_t num_damaged = 0;
  std::string first_damage;
  const auto note_damage = [&](const std::string& what) {
    if (num_damaged++ == 0) first_damage = what;
  };
  const bool is_finished = fs::exists(predictions_file());
  if (is_finished)
    for (Prediction& prediction : read_predictions(predictions_file(), note_damage))
      answers.emplace(prediction.id, std::move(prediction));
  const std::int64_t num_damaged_when_finished = num_damaged;
  for (const fs::path& file : parts_in(folder_))
    for (Prediction& prediction : read_part(file, note_damage))
      answers.emplace(prediction.id, std::move(prediction));
  if (num_damaged > 0)
    log::warn("{} damaged lines are left out, and what they answered is asked again: {}{}",
              num_damaged, first_damage, num_damaged > 1 ? ", ..." : "");
  std::vector<Prediction> found;
  std::string lines;
  for (const Question& question : questions) {
    const auto answer = answers.find(question.expected.id);
    if (answer == answers.end()) continue;
    lines += prediction_line(answer->second) + "\n";
    found.push_back(std::move(answer->second));
    answers.erase(answer);
  }
  if (!answers.empty())
    throw UserError(
        fmt::format("'{}' holds an answer to '{}', which is not asked any more; name "
                    "another output_dir, or --force to answer all questions anew",
                    folder_.string(), answers.begin()->first));
  if (is_finished && num_damaged_when_finished == 0) return found;
  if (!found.empty())
    write_file_atomically(folder_ / fmt::format("{}before.jsonl", kPartPrefix), lines);
  for (const fs::path& file : parts_in(folder_))
    if (file.stem() != fmt::format("{}before", kPartPrefix)) fs::remove(file);
  fs::remove(predictions_file());
  return found;
}

void AnswerFolder::append(std::int64_t rank, const std::vector<Prediction>& predictions) const {
  std::string lines;
  for (const Prediction& prediction : predictions) lines += prediction_line(prediction) + "\n";
  std::ofstream file(part(rank), std::ios::app | std::ios::binary);
  file << lines << std::flush;
  if (!file)
    throw RunFailure(fmt::format("cannot write '{}'; is the disk full?", part(rank).string()));
}

void AnswerFolder::finish(const std::vector<Prediction>& predictions) const {
  write_predictions(predictions_file(), predictions);
  for (const fs::path& file : parts_in(folder_)) fs::remove(file);
}

}  // namespace vllama::eval

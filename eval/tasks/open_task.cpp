#include "eval/tasks/open_task.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/sha256.h"
#include "eval/scores/chair.h"
#include "eval/tasks/annotation_rows.h"
#include "eval/tasks/other_media.h"
#include "eval/tasks/read_questions.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

constexpr const char* kCaptionPrompt = "Describe what you see and hear in one sentence.";

std::string prompt_of(const TaskConfig& config, const std::string& question) {
  if (config.prompt.empty()) return question.empty() ? kCaptionPrompt : question;
  const std::size_t place = config.prompt.find("{}");
  if (place == std::string::npos) {
    if (question.empty()) return config.prompt;
    throw UserError("prompt has no {} for the question");
  }
  std::string prompt = config.prompt;
  return prompt.replace(place, 2, question);
}

// The own caption and those of the media that follow, in a ring.
void offer_captions(Task& task, std::int64_t num_candidates) {
  const std::size_t num_questions = task.questions.size();
  const auto num_options = std::min(static_cast<std::size_t>(num_candidates), num_questions);
  for (std::size_t i = 0; i < num_questions; ++i) {
    Prediction& expected = task.questions[i].expected;
    for (std::size_t k = 0; k < num_options; ++k)
      expected.options.push_back(
          task.questions[(i + k) % num_questions].expected.references.front());
  }
}

std::vector<fs::path> annotation_files(const TaskConfig& config) {
  std::vector<fs::path> files;
  std::error_code error;
  if (fs::is_directory(config.annotations, error)) {
    for (const auto& entry : fs::directory_iterator(config.annotations))
      if (entry.is_regular_file()) files.push_back(entry.path());
    std::sort(files.begin(), files.end());
  } else if (fs::is_regular_file(config.annotations, error)) {
    files.push_back(config.annotations);
  }
  for (const std::string& file :
       {config.answers, config.media_names, config.objects, config.object_names})
    if (!file.empty()) files.push_back(file);
  return files;
}

std::string hash_of_files(const TaskConfig& config) {
  Sha256 hash;
  for (const fs::path& file : annotation_files(config))
    hash.update(MappedFile::open(file)->bytes());
  return hash.finish();
}

// What captions are searched for is read when they are scored: what is wrong with it is said before
// one is written.
void check_objects(const TaskConfig& config) {
  if (config.objects.empty() != config.object_names.empty())
    throw UserError("objects and object_names go together");
  if (config.objects.empty()) return;
  AnnotationRows rows;
  read_objects(config.objects, rows);
  ObjectNames::read(config.object_names);
}

// `tried` are the names that the first medium was looked for by in vain.
void tell_of_media(const Task& task, const std::string& tried) {
  const auto num_missing = std::ranges::count_if(
      task.questions, [](const Question& question) { return !question.medium; });
  const std::string names =
      tried.empty() ? "" : fmt::format("; the names that were tried for the first: {}", tried);
  if (num_missing == std::ssize(task.questions))
    throw UserError(
        fmt::format("not one medium of its questions is there; look at media_root{}", names));
  log::info("task {}: {} questions", task.name, task.questions.size());
  if (const std::string broken = rows_left_out(task.rows); !broken.empty())
    log::warn("task {}: {}", task.name, broken);
  if (num_missing > 0) {
    const auto first = std::ranges::find_if(
        task.questions, [](const Question& question) { return !question.medium; });
    log::warn("task {}: {} questions have no medium and count as wrong, the first is about '{}'{}",
              task.name, num_missing, first->expected.video, names);
  }
  if (task.num_unused_media > 0)
    log::warn("task {}: no question is about {} media of the folder", task.name,
              task.num_unused_media);
}

// Returns the names that the first medium was looked for by in vain.
std::string read_questions(const TaskConfig& config, Task& task) {
  const TaskFormat& format = task_format(config.format);
  if (format.read == nullptr) {
    task.questions = read_captions(config, task.rows);
    return {};
  }
  MediaFinder media(config.media_root, datasets::IndexFolder::open(""));
  task.questions = format.read(config, media, task.rows);
  task.num_unused_media = media.num_unused();
  return media.first_tried();
}

}  // namespace

Task open_task(const TaskConfig& config) try {
  Task task{.name = config.name, .format = config.format, .annotation_hash = hash_of_files(config)};
  const std::string tried = read_questions(config, task);
  const bool asks_for_captions = task_format(config.format).answers == AnswerForm::caption;
  if (asks_for_captions) check_objects(config);
  if (config.num_candidates > 0) {
    if (config.num_candidates < 2) throw UserError("num_candidates must be 0 or at least 2");
    if (!asks_for_captions) throw UserError("num_candidates is for tasks of captions");
    offer_captions(task, config.num_candidates);
  }
  if (config.media == TaskMedia::other) show_other_media(task.questions, config.control_seed);
  if (config.max_questions > 0 && config.max_questions < std::ssize(task.questions))
    task.questions.resize(static_cast<std::size_t>(config.max_questions));
  for (Question& question : task.questions)
    question.prompt = prompt_of(config, question.expected.question);
  const auto num_with_options = std::ranges::count_if(
      task.questions, [](const Question& question) { return !question.expected.options.empty(); });
  if (num_with_options > 0 && num_with_options < std::ssize(task.questions))
    throw UserError("some questions have options and others have none; make two tasks of them");
  const bool is_choice = num_with_options > 0 && config.choose_by == ChooseBy::likelihood;
  task.kind = is_choice ? AnswerKind::chosen : AnswerKind::written;
  tell_of_media(task, tried);
  if (config.media == TaskMedia::none) show_nothing(task.questions);
  return task;
} catch (const UserError& error) {
  throw UserError(fmt::format("task '{}': {}", config.name, error.what()));
}

}  // namespace vllama::eval

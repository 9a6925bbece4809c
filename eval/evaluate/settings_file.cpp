#include "eval/evaluate/settings_file.h"

#include <fmt/format.h>

#include <sstream>

#include "config/fields.h"
#include "core/error.h"
#include "core/files.h"
#include "eval/evaluate/answers.h"

namespace vllama::eval {
namespace fs = std::filesystem;
namespace {

constexpr const char* kSettings = "settings.yaml";

struct AnswerSettings {
  std::string checkpoint, checkpoint_hash, annotation_hash;
  std::vector<std::string> model_changes;
  inference::ChatSettings chat;
  samples::MediaSettings media;
  PromptConfig prompt;
  inference::GenerationConfig generation;
  std::int64_t batch_size = 0;
  TaskConfig task;

  template <class Visitor>
  void visit(Visitor&& field) {
    field("checkpoint", checkpoint, "what was asked");
    field("checkpoint_hash", checkpoint_hash, "of what identifies it");
    field("annotation_hash", annotation_hash, "of the annotation files");
    field("model_changes", model_changes, "over what it says of itself");
    field("chat", chat, "how the checkpoint is talked to");
    field("media", media, "decoding of media");
    field("prompt", prompt, "how questions are put");
    field("generation", generation, "how answers are made");
    field("batch_size", batch_size, "questions answered at once");
    field("task", task, "the task");
  }
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

// Read and written anew, so that keys which an older program did not know have their defaults.
std::string with_all_keys(const std::string& settings) {
  try {
    return config::dump(config::read<AnswerSettings>(config::load_text(settings, kSettings)));
  } catch (const UserError&) {
    return settings;  // of a newer program: it differs
  }
}

std::string differences(const std::string& before, const std::string& now) {
  const auto old_lines = lines_of(before), new_lines = lines_of(now);
  std::string text;
  for (std::size_t i = 0; i < std::max(old_lines.size(), new_lines.size()); ++i) {
    const std::string& old_line = i < old_lines.size() ? old_lines[i] : "";
    const std::string& new_line = i < new_lines.size() ? new_lines[i] : "";
    if (old_line != new_line) text += fmt::format("\n  then: {}\n  now:  {}", old_line, new_line);
  }
  return text;
}

}  // namespace

std::string answer_settings(const EvalConfig& config, const TaskConfig& task_config,
                            const Task& task, const inference::ModelView& model) {
  AnswerSettings settings;
  settings.checkpoint = model.checkpoint;
  settings.checkpoint_hash = model.checkpoint_hash;
  settings.annotation_hash = task.annotation_hash;
  settings.model_changes = config.model_changes;
  settings.chat = model.chat;
  settings.media = model.media;
  settings.prompt = config.prompt;
  settings.generation = config.generation;
  settings.batch_size = config.batch_size;
  settings.task = task_config;
  return config::dump(settings);
}

void require_same_settings(const fs::path& folder, const std::string& settings) {
  const fs::path file = folder / kSettings;
  if (!fs::exists(file)) return write_file_atomically(file, settings);
  const std::string before = with_all_keys(read_file(file));
  if (before != settings)
    throw UserError(
        fmt::format("'{}' holds answers that were made otherwise; name another "
                    "output_dir, or --force to answer all questions anew:{}",
                    folder.string(), differences(before, settings)));
}

TaskConfig task_of_folder(const fs::path& folder) {
  const fs::path file = folder / kSettings;
  if (!fs::exists(file) || !fs::exists(folder / kPredictionsFile))
    throw UserError(fmt::format("'{}' does not hold the answers of a finished task ('{}', '{}')",
                                folder.string(), kSettings, kPredictionsFile));
  return config::read<AnswerSettings>(config::load_file(file.string())).task;
}

}  // namespace vllama::eval

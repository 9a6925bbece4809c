// The formats of tasks: how their questions are read, and what answers to them are worth. A new
// format is a reader, and a row of the table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vllama::eval {

class MediaFinder;
struct AnnotationRows;
struct Measurement;
struct Prediction;
struct Question;
struct TaskConfig;

enum class AnswerForm { short_text, yes_or_no, caption };

struct TaskFormat {
  std::string_view name;
  // Questions in the order of the file, as read_questions.h says. Null for the captions of a data
  // set, which finds its media itself.
  std::vector<Question> (*read)(const TaskConfig&, MediaFinder&, AnnotationRows&);
  AnswerForm answers = AnswerForm::short_text;
  bool may_have_options = false;
  // Files for a judge are written; of two questions per row, one file for both.
  bool is_judged = false, asks_twice = false;
  // What is measured besides what the form of the answers says; null for nothing.
  std::vector<Measurement> (*more_measurements)(const std::vector<Prediction>&) = nullptr;
  // The settings of a task that this format reads and most do not.
  std::vector<std::string_view> own_settings = {};
};

// Throws UserError naming all formats.
const TaskFormat& task_format(const std::string& name);

std::vector<std::string> task_format_names();
// "msvd_qa or msvd_captions".
std::string formats_with_setting(const std::string& setting);

}  // namespace vllama::eval

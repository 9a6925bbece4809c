// From a question about a medium to what the language model reads.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "eval/evaluate/eval_config.h"
#include "eval/tasks/question.h"
#include "inference/generate/prompt.h"
#include "inference/model_view.h"
#include "samples/media_builder.h"
#include "text/chat.h"

namespace vllama::eval {

// A question with what is shown of its medium, decoded; it may be nothing.
struct PreparedQuestion {
  const Question* question = nullptr;
  samples::BuiltMedium medium = {};
  std::string problem = {};  // why it cannot be asked; empty if it can
  std::int64_t num_frames = 0;
};

// What is taken of the media of a task's questions.
samples::MediaConfig media_of_task(const inference::ChatSettings& chat, const PromptConfig& config,
                                   const TaskConfig& task);

class QuestionPrompts {
 public:
  // `model` outlives the object. Throws UserError for settings that contradict the model.
  QuestionPrompts(const inference::ModelView& model, const PromptConfig& config,
                  const TaskConfig& task);

  // Decodes, and brings frames and sound clips into the order that the task asks for; for any
  // thread.
  PreparedQuestion prepare(const Question& question) const;

  // Encodes the media and lays out the prompt. `prepared` has no problem.
  inference::Prompt prompt(const PreparedQuestion& prepared) const;

  text::LayoutKind layout_kind() const { return layout_kind_; }
  const text::PromptLayout& layout() const { return layout_; }

 private:
  text::Chat chat_of(const PreparedQuestion& prepared) const;

  const inference::ModelView model_;
  text::LayoutKind layout_kind_;
  const text::PromptLayout& layout_;
  const TaskConfig task_;
  std::string system_;
  samples::MediaBuilder media_;
};

}  // namespace vllama::eval

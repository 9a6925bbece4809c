#include "text/prompt_template.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/named_rows.h"

namespace vllama::text {

const ConversationTemplate kVicunaTemplate = {
    .header = "\n\n",
    .between_turns = "",
    .turn_mark = "###",
    .before_question = "Human: ",
    .after_question = "\n",
    .before_answer = "###Assistant: ",
    .after_answer = "\n",
    .end = "###",
    .omits_empty_answers = false,
};

const ConversationTemplate kLlama2Template = {
    .header = "[INST] <<SYS>>\n \n<</SYS>>\n\n",
    .between_turns = "<s>[INST] ",
    .turn_mark = "",
    .before_question = "",
    .after_question = " [/INST]",
    .before_answer = " ",
    .after_answer = " </s>",
    .end = "",
    .omits_empty_answers = true,
};

namespace {

// The chats of the released checkpoints.
const ChatTemplate& vicuna_reference() {
  static const ChatTemplate form = {
      .name = "reference",
      .takes_system_text = true,
      .before_system = "",
      .after_system = "###",
      .between_turns = "",
      .after_image = "  ",
      .after_video = " ",
      .before_question = "Human: ",
      .after_question = "###",
      .before_answer = "Assistant: ",
      .after_answer = "###",
      .stop_text = "###",
      .answer_role = "Assistant:",
      .sound_first = true,
  };
  return form;
}

const ChatTemplate& llama2_reference() {
  static const ChatTemplate form = {
      .name = "reference",
      .takes_system_text = true,
      .before_system = "[INST] <<SYS>>\n",
      .after_system = "\n<</SYS>>\n\n",
      .between_turns = "<s>[INST] ",
      .after_image = "  ",
      .after_video = " ",
      .before_question = "",
      .after_question = " [/INST]",
      .before_answer = " ",
      .after_answer = " </s>",
      .stop_text = "</s>",
      .answer_role = "ASSISTANT:",
      .sound_first = true,
  };
  return form;
}

const std::vector<PromptTemplate>& families() {
  static const std::vector<PromptTemplate> table = {
      {"vicuna", kVicunaTemplate, vicuna_reference()},
      {"llama_v2", kLlama2Template, llama2_reference()},
  };
  return table;
}

// Only the stop rules are those of the reference.
ChatTemplate training_layout(const PromptTemplate& family) {
  const ConversationTemplate& form = family.training;
  return {
      .name = "training",
      .takes_system_text = false,
      .before_system = std::string(form.header),
      .after_system = "",
      .between_turns = std::string(form.between_turns),
      .after_image = "\n",
      .after_video = "",
      .before_question = fmt::format("{}{}", form.turn_mark, form.before_question),
      .after_question = std::string(form.after_question),
      .before_answer = std::string(form.before_answer),
      .after_answer = std::string(form.after_answer),
      .stop_text = family.reference.stop_text,
      .answer_role = family.reference.answer_role,
      .sound_first = false,
  };
}

}  // namespace

const PromptTemplate& prompt_template(std::string_view name) {
  if (const PromptTemplate* found = row_named(families(), name)) return *found;
  throw UserError(fmt::format("no conversation template '{}': choose {}", name,
                              fmt::join(prompt_template_names(), " or ")));
}

std::vector<std::string> prompt_template_names() {
  return names_of_rows(families());
}

const ConversationTemplate& conversation_template(std::string_view name) {
  return prompt_template(name).training;
}

ChatTemplate chat_template(std::string_view kind, std::string_view family) {
  const PromptTemplate& found = prompt_template(family);
  if (kind == "reference") return found.reference;
  if (kind == "training") return training_layout(found);
  throw UserError(fmt::format("no chat template '{}': choose reference or training", kind));
}

}  // namespace vllama::text

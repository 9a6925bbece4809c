// The families of prompts: the texts between those of users and model. A new family is a row of the
// table.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace vllama::text {

// The fixed texts of a conversation, in their order. Whether a part is learned belongs to its
// place.
struct ConversationTemplate {
  std::string_view header;         // once
  std::string_view between_turns;  // before every turn but the first
  std::string_view turn_mark;      // learned
  std::string_view before_question;
  std::string_view after_question;
  std::string_view before_answer;  // learned, as the answer that follows
  std::string_view after_answer;   // learned
  std::string_view end;            // once, learned
  bool omits_empty_answers;        // an empty answer then has no before_answer and after_answer
};

extern const ConversationTemplate kVicunaTemplate;
extern const ConversationTemplate kLlama2Template;

// The fixed texts of a chat. `reference` forms are part of the interface of the released
// checkpoints; the others repeat a training layout and ignore the system text.
struct ChatTemplate {
  std::string name;
  bool takes_system_text;
  std::string before_system, after_system;
  std::string between_turns;
  std::string after_image;  // between an image and the question
  std::string after_video;  // between the time message of a video and the question
  std::string before_question, after_question;
  std::string before_answer;  // without its last space where an answer is to be generated
  std::string after_answer;
  std::string stop_text;    // ends an answer, besides the end token
  std::string answer_role;  // whatever the model writes in front of this is not its answer
  bool sound_first;         // of a video with sound: which of its two blocks is the first
};

// A family, by the name that configurations give it.
struct PromptTemplate {
  std::string_view name;
  const ConversationTemplate& training;
  ChatTemplate reference;
};

// Throws UserError naming all families.
const PromptTemplate& prompt_template(std::string_view name);
std::vector<std::string> prompt_template_names();

// The layout of training. Throws as prompt_template().
const ConversationTemplate& conversation_template(std::string_view name);

// "reference", or "training": the layout of training up to the answer, with the stop rules of the
// reference. Throws UserError.
ChatTemplate chat_template(std::string_view kind, std::string_view family);

}  // namespace vllama::text

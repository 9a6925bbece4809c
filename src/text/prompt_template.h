// The families of prompts: the texts between those of users and model, and around media. A new
// family is a row of the table.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/enum_names.h"
#include "core/media_kind.h"

namespace vllama::text {

// What stands around the embeddings of a medium.
struct MediaWrap {
  std::string_view before = {}, after = {};
};

// The fixed texts of a conversation, in their order. Whether a part is learned belongs to its
// place.
struct PromptLayout {
  // Whether the beginning token of the vocabulary stands in front of it all.
  bool has_beginning = true;
  bool takes_system_text = false;
  std::string_view before_system = {}, after_system = {};  // once
  std::string_view default_system = {};                    // between them, where nobody gives one
  bool omits_empty_system = false;      // without a text then no before_system, after_system either
  bool has_demo_system = false;         // a chat gives the text of the released demos
  std::string_view between_turns = {};  // before every turn but the first
  std::string_view turn_mark = {};      // learned
  std::string_view before_question = {}, after_question = {};
  std::string_view before_last_answer = {};  // of the last turn only, behind after_question
  // Learned, as the answer that follows. Without its last space where an answer is to be generated.
  std::string_view before_answer = {};
  std::string_view after_answer = {};  // learned
  std::string_view end = {};           // of a training sample, once, learned
  bool omits_empty_answers = false;    // an empty answer then has no before_answer, after_answer

  // Media stand in front of the question that they belong to, or where it says.
  MediaWrap image = {"<Image>", "</Image>"}, video = {"<Video>", "</Video> "},
            sound = {"<Audio>", "</Audio> "};
  // In a chat, where questions follow their media without a line of their own: between an image,
  // or the time message of a video, and what follows.
  std::string_view after_image = "\n", after_times = {};
  // Of a video with sound: which comes first. Where it is the sound, the frames stand in a wrap of
  // their own, without a time message.
  bool sound_first = false;
  MediaWrap frames_behind_sound = {};

  std::string_view stop_text = {};  // ends an answer, besides the tokens that do
  // Whatever the model writes in front of this is not its answer; empty for none.
  std::string_view answer_role = {};

  // A medium in a training sample, with kImagePlaceholder for each embedding. `time_message`
  // (text/time_message.h) is that of a video, and may be empty.
  std::string media_text(MediaKind kind, std::int64_t num_media_tokens,
                         std::string_view time_message = {}) const;
};

// Whose layout a prompt has.
enum class LayoutKind { reference, training };
constexpr auto names_of(LayoutKind) {
  return config::EnumNames<LayoutKind, 2>{
      {{LayoutKind::reference, "reference"}, {LayoutKind::training, "training"}}};
}

// A family, by the name that configurations give it.
struct PromptTemplate {
  std::string_view name;
  PromptLayout training;   // as this trainer lays conversations out; ignores the system text
  PromptLayout reference;  // of the released checkpoints: part of their interface

  const PromptLayout& layout(LayoutKind kind) const {
    return kind == LayoutKind::reference ? reference : training;
  }
};

// Null for a name that none has.
const PromptTemplate* find_prompt_template(std::string_view name);
// Throws UserError naming all families.
const PromptTemplate& prompt_template(std::string_view name);
std::vector<std::string> prompt_template_names();

}  // namespace vllama::text

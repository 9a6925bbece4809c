// A chat with a model about media that it is shown, question by question.
#pragma once

#include "inference/chat/shown_medium.h"
#include "inference/chat_settings.h"
#include "inference/generate/generator.h"
#include "text/chat.h"

namespace vllama::inference {

struct Reply {
  Answer answer;
  std::string text;                   // the answer as it is shown and remembered
  std::size_t num_dropped_turns = 0;  // oldest turns that the model saw no more, with this answer
  double seconds = 0;
};

class ModelChat {
 public:
  // `opened` outlives the conversation. An empty system text means that of the released demos.
  // Throws UserError for settings that contradict each other.
  ModelChat(const OpenedModel& opened, const ChatSettings& settings,
            const GenerationConfig& config);

  // Shows a medium in front of the next question.
  const ShownMedium& show(ShownMedium medium);

  // Asks; question and answer become a turn. If all does not fit into the context, the oldest turns
  // are no longer shown to the model, one after the other, but their media stay. Throws UserError
  // if even the media and this question do not fit, or the question is empty or contains a
  // placeholder for media; then the conversation is as it was before.
  Reply ask(const std::string& question,
            const std::function<bool(std::string_view)>& listener = {});

  // Forgets all turns and media.
  void reset();

  void set_config(const GenerationConfig& config);
  const GenerationConfig& config() const { return config_; }
  const ChatSettings& settings() const { return settings_; }

  struct Turn {
    std::string question;
    Reply reply;
  };
  const std::vector<Turn>& turns() const { return turns_; }
  struct PlacedMedium {
    ShownMedium medium;
    std::size_t turn;           // before whose question it was shown
    std::int64_t first_number;  // of its embeddings among those of the conversation
  };
  const std::vector<PlacedMedium>& media() const { return media_; }

 private:
  std::string system_text() const;
  // Without the first `num_dropped` turns.
  Prompt prompt(const std::string& question, std::size_t num_dropped) const;

  const OpenedModel& opened_;
  ChatSettings settings_;
  GenerationConfig config_;
  const text::PromptLayout& layout_;
  StopRules rules_;
  std::vector<Turn> turns_;
  std::vector<PlacedMedium> media_;
  std::int64_t num_media_tokens_ = 0;
  std::size_t num_dropped_ = 0;
  KeptTokens kept_;
};

}  // namespace vllama::inference

#include "train/saved/chat_settings.h"

namespace vllama::train {

eval::ChatSettings training_chat_settings(const RunConfig& config) {
  const datasets::DataConfig& data = config.data;
  eval::ChatSettings chat;
  chat.template_kind = "training";
  chat.template_family = data.conversations.form;
  if (!data.sets.empty()) {
    chat.num_frames = data.sets.front().num_frames;
    chat.time_message = data.sets.front().time_message;
  }
  return chat;
}

eval::MediaSettings media_settings(const RunConfig& config) {
  return {.video = config.data.video, .sound = config.data.sound, .compat = config.data.compat};
}

}  // namespace vllama::train

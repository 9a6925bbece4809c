#include "train/saved/chat_settings.h"

namespace vllama::train {

inference::ChatSettings training_chat_settings(const RunConfig& config) {
  const datasets::DataConfig& data = config.data;
  inference::ChatSettings chat;
  chat.layout = text::LayoutKind::training;
  chat.family = data.conversations.family;
  chat.system = data.conversations.system;
  if (!data.sets.empty()) {
    chat.num_frames = data.sets.front().num_frames;
    chat.time_message = data.sets.front().time_message;
  }
  return chat;
}

samples::MediaSettings media_settings(const RunConfig& config) {
  return config.data.media_settings();
}

}  // namespace vllama::train

#include "train/export/open_saved.h"

#include "eval/bundle/bundle_config.h"
#include "eval/bundle/model_in_use.h"
#include "eval/bundle/open_bundle.h"

namespace vllama::train {

eval::ChatSettings chat_settings(const SavedCheckpoint& saved) {
  const datasets::DataConfig& data = saved.config.data;
  eval::ChatSettings chat;
  chat.template_kind = saved.progress ? "training" : "reference";
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

eval::OpenedModel open_saved(const std::filesystem::path& path, at::Device device,
                             const eval::OpenBundleOptions& options) {
  if (eval::is_bundle(path)) return eval::open_bundle(path, device, options);
  const SavedCheckpoint saved = find_checkpoint(path, options.overrides);
  eval::OpenedModel opened = eval::load_model_in_use(
      {.model = saved.config.model, .trained = saved.trained_file(), .seed = saved.config.seed},
      device);
  opened.chat = chat_settings(saved);
  opened.media = media_settings(saved.config);
  opened.origin = {.path = path.string(),
                   .checkpoint = saved.path.string(),
                   .step = saved.progress ? saved.progress->num_steps_done : 0};
  return opened;
}

}  // namespace vllama::train

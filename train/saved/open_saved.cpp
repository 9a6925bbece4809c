#include "train/saved/open_saved.h"

#include <nlohmann/json.hpp>

#include "core/files.h"
#include "inference/bundle/bundle_config.h"
#include "inference/bundle/file_hash.h"
#include "inference/bundle/model_in_use.h"
#include "inference/bundle/open_bundle.h"
#include "train/saved/chat_settings.h"
#include "train/saved/model_card_file.h"
#include "weights/pth/file_format.h"
#include "weights/pth/pth_reader.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

// Our steps and exports say so; a file of the Python original has neither our key nor a card that
// knows of a template.
bool was_trained_here(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) return true;
  const auto mapped = MappedFile::open(file);
  if (weights::file_format(mapped->bytes()) != weights::FileFormat::safetensors)
    return weights::read_pth(mapped).find(weights::Key("vllama")) != nullptr;
  const fs::path card = file.parent_path() / kModelCardFile;
  if (!fs::is_regular_file(card, error)) return true;
  const auto facts = nlohmann::json::parse(read_file(card), nullptr, /*allow_exceptions=*/false);
  return facts.is_object() && facts.contains("chat");
}

// Of several the one read last; empty if there is none.
std::string trained_file(const SavedCheckpoint& saved) {
  const models::WeightFiles& weights = saved.config.model.weights;
  for (const std::string& file : {saved.trained_file(), weights.saved_step,
                                  weights.audio_checkpoint, weights.vision_checkpoint})
    if (!file.empty()) return file;
  return {};
}

text::LayoutKind layout_of(const SavedCheckpoint& saved) {
  if (saved.progress) return text::LayoutKind::training;
  const std::string file = trained_file(saved);
  return !file.empty() && was_trained_here(file) ? text::LayoutKind::training
                                                 : text::LayoutKind::reference;
}

// A step's folder may stand for the file in it.
std::string hash_of(const fs::path& file) {
  std::error_code error;
  return fs::is_regular_file(file, error) ? inference::FileHasher().sha256(file) : std::string();
}

}  // namespace

inference::ChatSettings chat_settings(const SavedCheckpoint& saved) {
  inference::ChatSettings chat = training_chat_settings(saved.config);
  chat.layout = layout_of(saved);
  return chat;
}

inference::OpenedModel open_saved(const std::filesystem::path& path, at::Device device,
                                  const inference::OpenBundleOptions& options) {
  if (inference::is_bundle(path)) return inference::open_bundle(path, device, options);
  const SavedCheckpoint saved = find_checkpoint(path, options.overrides);
  inference::OpenedModel opened = inference::load_model_in_use(
      {.model = saved.config.model, .trained = saved.trained_file(), .seed = saved.config.seed},
      device);
  opened.chat = chat_settings(saved);
  opened.media = media_settings(saved.config);
  opened.origin = {.path = path.string(),
                   .checkpoint = saved.path.string(),
                   .step = saved.progress ? saved.progress->num_steps_done : 0,
                   .sha256 = hash_of(trained_file(saved))};
  return opened;
}

}  // namespace vllama::train

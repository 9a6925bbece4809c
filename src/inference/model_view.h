// A model as an evaluation uses it: opened for use, or in the middle of its training.
#pragma once

#include <string>

#include "inference/chat_settings.h"
#include "samples/media_config.h"

namespace vllama::models {
class VideoLlama;
}
namespace vllama::text {
class Tokenizer;
}

namespace vllama::inference {

struct OpenedModel;

struct ModelView {
  models::VideoLlama& model;
  const text::Tokenizer& tokenizer;
  ChatSettings chat = {};
  samples::MediaSettings media = {};
  std::string name = {};             // as reports call it
  std::string checkpoint = {};       // what it was read from
  std::string checkpoint_hash = {};  // of what identifies that
};

// SHA-256 of what identifies a checkpoint: the manifest of a saved step, the description of a
// bundle, or the bytes of a file.
std::string checkpoint_hash(const std::string& checkpoint);

// `opened` outlives the view.
ModelView view_of(const OpenedModel& opened);

}  // namespace vllama::inference

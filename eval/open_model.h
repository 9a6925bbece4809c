// A trained model as it is used: weights on their device, its tokenizer, and how it is to be talked
// to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "media/video.h"
#include "models/video_llama.h"
#include "processors/audio_clips.h"
#include "text/tokenizer.h"

namespace vllama::eval {

// How prompts are laid out, and what the model is given of a medium.
struct ChatSettings {
  std::string template_kind = "reference";  // or "training"
  std::string template_family = "vicuna";   // or "llama_v2"
  std::string system = {};                  // system text of the reference template; may be empty
  std::int64_t num_frames = 8;              // of a video
  bool time_message = true;                 // tells the model when the frames were taken
};

// What decoding of media is told.
struct MediaSettings {
  media::VideoOptions video = {};
  processors::AudioClipConfig sound = {};
  std::string compat = "none";  // processors::compat_preset
};

struct OpenedModel {
  std::unique_ptr<models::VideoLlama> model;  // whole, prepared, without autograd
  std::unique_ptr<text::Tokenizer> tokenizer;
  ChatSettings chat = {};
  MediaSettings media = {};
};

}  // namespace vllama::eval

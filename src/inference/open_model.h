// A trained model as it is used: weights on their device, its tokenizer, and how it is to be talked
// to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "inference/chat_settings.h"
#include "models/video_llama.h"
#include "samples/media_config.h"
#include "text/tokenizers/tokenizer.h"

namespace vllama::inference {

// Which weights these are, for records of what was done with them.
struct ModelOrigin {
  std::string path = {};        // as the user named it
  std::string checkpoint = {};  // the saved step, weight file or bundle that was read
  std::int64_t step = 0;        // 0: not known
  std::string sha256 = {};      // of the file with what was trained; empty if there is none
};

struct OpenedModel {
  std::unique_ptr<models::VideoLlama> model;  // whole, prepared, without autograd
  std::unique_ptr<text::Tokenizer> tokenizer;
  ChatSettings chat = {};
  samples::MediaSettings media = {};
  ModelOrigin origin = {};
};

}  // namespace vllama::inference

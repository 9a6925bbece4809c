// A trained model as it is used: weights on their device, its tokenizer, and how it is to be talked
// to.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "config/fields.h"
#include "models/video_llama.h"
#include "samples/media_config.h"
#include "text/prompt_template.h"
#include "text/tokenizer.h"

namespace vllama::inference {

// How prompts are laid out, and what the model is given of a medium.
struct ChatSettings {
  text::LayoutKind layout = text::LayoutKind::reference;
  std::string family = "vicuna";  // of prompts (text/prompt_template.h)
  std::string system = {};        // system text of the reference layout; may be empty
  std::int64_t num_frames = 8;    // of a video
  bool time_message = true;       // tells the model when the frames were taken

  template <class Visitor>
  void visit(Visitor&& field) {
    field("template", layout,
          "texts around questions and answers: reference, of the released checkpoints; training, "
          "as this trainer lays them out");
    field("family", family, "which of the templates of that kind",
          config::OneOf{text::prompt_template_names()});
    field("system", system, "system text of the reference template");
    field("num_frames", num_frames, "frames taken from a video",
          config::Range<std::int64_t>{1, 4096});
    field("time_message", time_message, "tells the model when the frames were taken");
  }
};

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

// How a model is talked to.
#pragma once

#include <cstdint>
#include <string>

#include "config/fields.h"
#include "text/prompt_template.h"

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

}  // namespace vllama::inference

// Which modules of the model train, each at which learning rate. Everything else is frozen.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/fields.h"

namespace vllama::models {

struct ModelConfig;

// Names of modules that can train, in the order in which their parameters are listed.
inline const std::vector<std::string> kTrainableModules{
    "image_q_former",   "video_q_former", "frame_positions",
    "projection",       "audio_q_former", "audio_positions",
    "audio_projection", "lora",           "language_model"};

struct TrainedModule {
  std::string module;
  double learning_rate = 0;  // of its peak; 0: the schedule's

  template <class Visitor>
  void visit(Visitor&& field) {
    field("module", module, "what trains", config::Required{}, config::OneOf{kTrainableModules});
    field("learning_rate", learning_rate,
          "peak rate of this module, which follows the schedule in proportion; 0: the schedule's",
          config::Range{0.0, 1.0});
  }
};

// What `config.trainable` names; when it names nothing, what the published training of the model's
// branches trains. Throws UserError for an unknown module, one that the model lacks, one named
// twice, and for lora together with language_model.
std::vector<TrainedModule> trained_modules(const ModelConfig& config);

// The module that a parameter of a checkpoint belongs to; empty for those that never train.
std::string module_of(const std::string& parameter_name);

}  // namespace vllama::models

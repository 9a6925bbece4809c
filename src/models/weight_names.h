// Which names in the published weight files are there on purpose and of no use to us.
#pragma once

#include <string>

#include "models/modules.h"

namespace vllama::models {

// BLIP-2 files hold the text path of the Q-Former, a language projection and an index buffer.
bool is_unused_q_former_name(const std::string& name);

// LLaMA files may hold rotary frequencies, which are always computed anew.
bool is_unused_language_model_name(const std::string& name);

// What the Python original saves of modules that do not train.
bool is_buffer_of_frozen_module(const std::string& name);

// Training checkpoints hold buffers of frozen modules and, in joint models, the other branch: what
// else than the branch at `place` may lie in one.
bool is_unused_in_checkpoint(const std::string& name, ModulePlace place);

}  // namespace vllama::models

// Starting from what an earlier run trained, whichever modules those were.
#pragma once

#include <set>
#include <string>

#include "models/video_llama.h"
#include "models/weight_reading.h"

namespace vllama::models {

// The modules that a weight file holds. Throws UserError naming the file.
std::set<ModuleName> modules_in(const std::string& file);

// A saved step holds any modules that can train, each of them whole. Modules that this model
// trains, and those of its branches, become fp32; a frozen part of the base is held as `frozen`
// says. To be read after all other files, whose tensors it replaces. A name that this model has no
// use for is an error, so are adapters where the model has none.
std::vector<WeightReading> saved_step_readings(VideoLlama& model, const std::string& file,
                                               const weights::LoadRules& frozen);

// Reads `file` over the model by these rules. Throws UserError naming the file and every tensor
// that is missing, unexpected or misshapen.
void read_saved_step(VideoLlama& model, const std::string& file, const weights::LoadRules& frozen);

// The same for a model that is loaded, on its device, and will not train.
void load_saved_step(VideoLlama& model, const std::string& file);

}  // namespace vllama::models

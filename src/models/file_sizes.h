// The sizes of a model's encoders and Q-Formers, as its weight files have them.
#pragma once

#include <map>
#include <string>

#include "models/model_config.h"

namespace vllama::models {

struct SizedModel {
  ModelConfig config;
  // By key below model.weights: one line for each file that does not have the sizes that were
  // given, or that cannot be read with the published number of heads.
  std::map<std::string, std::string> contradictions = {};
};

// Takes every size that a file tells from it, whether it was given or not: widths, counts and
// extents stand in the shapes of its tensors. Numbers of heads do not; they are the published ones
// unless they are given. From the published encoder the last but one block is read, unless
// num_blocks says otherwise; image_size may be another than the file's, whose positions are then
// resized. The trained Q-Formers have the sizes of the checkpoint that they start from, if there is
// one. Files that cannot be read leave the sizes as they are. Reads no tensor.
SizedModel sizes_of_files(ModelConfig config);

// The configuration alone, for what does not read the weights; says in the log which sizes are
// assumed since a file is not there. Where a file contradicts it, it stays as it was given.
ModelConfig with_sizes_of_files(ModelConfig config);

}  // namespace vllama::models

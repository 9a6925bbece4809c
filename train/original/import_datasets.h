// The data sets of a configuration of the Python original as data sets of ours.
#pragma once

#include <string>

#include "config/tree.h"
#include "train/original/reference_keys.h"

namespace vllama::train {

// What the model says that the data sets must agree with.
struct ReferenceModel {
  std::string image_size, num_media_tokens, language_model;
};

// The value of `data.sets` and, in `conversation_template`, the template of all instruction data;
// empty if there is none. Problems and keys left out go to `keys`.
config::Tree import_datasets(const config::Tree& datasets, const ReferenceModel& model,
                             ReferenceKeys& keys, std::string& conversation_template);

}  // namespace vllama::train

// Tells folders and tables of tensors that are no Hugging Face model, or none in full precision, by
// what they are.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vllama::weights {

// Weights in the form that is read here: model.safetensors, pytorch_model.bin, or an index of
// shards of either.
bool holds_hf_weights(const std::filesystem::path& folder);

// What the folder is and what to do about it, for a message; empty if nothing speaks against its
// being a model: an adapter, Meta's own layout, matrices in fewer bits, a model for another
// program, a sharded training state, shards without their index.
std::string foreign_folder(const std::filesystem::path& folder);

// The same from the names of tensors, for files that carry no other sign.
std::string foreign_names(const std::vector<std::string>& names);

}  // namespace vllama::weights

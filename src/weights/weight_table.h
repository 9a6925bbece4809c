// The named tensors of a weight file or folder, whatever its format; free of libtorch.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "core/files.h"
#include "weights/values/value.h"

namespace vllama::weights {

struct WeightEntry {
  TensorView view;
  std::shared_ptr<const MappedFile> file;  // in which `view` lies
};

using WeightTable = std::map<std::string, WeightEntry>;

// Reads the directory of a .pth or .bin file (zip or stream container), a .safetensors file, or a
// Hugging Face folder, told apart by content. Of a .pth whose top level has a dictionary "model",
// that dictionary is taken, otherwise the top level itself; entries that are no tensors are left
// out. What wrappers have put in front of every name ("module.", "_orig_mod.", "base_model.model.",
// also several) is left out. No tensor is read yet. Throws UserError naming what a folder is if it
// is no model in full precision (folder_kind.h).
WeightTable read_weight_table(const std::filesystem::path& path);

// The same of one file, with the names that stand in it.
WeightTable read_weight_file(const std::filesystem::path& path);

// The tensors of a Hugging Face folder, with the names that stand in it. As transformers does, it
// takes the first of model.safetensors, model.safetensors.index.json, pytorch_model.bin and
// pytorch_model.bin.index.json; an index that is passed over for the single file is warned of.
// Throws UserError naming what a folder without them is, the shard that is missing, or the tensor
// that its shard does not hold.
WeightTable read_hf_folder(const std::filesystem::path& folder);

}  // namespace vllama::weights

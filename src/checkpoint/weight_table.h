// The named tensors of a weight file or folder, whatever its format; free of libtorch.
#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "checkpoint/value.h"
#include "core/files.h"

namespace vllama::checkpoint {

struct WeightEntry {
  TensorView view;
  std::shared_ptr<const MappedFile> file;  // in which `view` lies
};

using WeightTable = std::map<std::string, WeightEntry>;

// Reads the directory of a .pth or .bin file (zip or stream container), a .safetensors file, or a
// Hugging Face folder, told apart by content. Of a .pth whose top level has a dictionary "model",
// that dictionary is taken, otherwise the top level itself; entries that are no tensors are left
// out. No tensor is read yet. Throws UserError.
WeightTable read_weight_table(const std::filesystem::path& path);

// The tensors of a Hugging Face folder: `model.safetensors[.index.json]`, else
// `pytorch_model.bin[.index.json]`. Throws UserError naming the shard that is missing or the tensor
// that its shard does not hold.
WeightTable read_hf_folder(const std::filesystem::path& folder);

}  // namespace vllama::checkpoint

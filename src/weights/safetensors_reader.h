// Reads .safetensors files.
#pragma once

#include <map>
#include <string>

#include "core/files.h"
#include "weights/values/value.h"

namespace vllama::weights {

struct SafetensorsFile {
  std::map<std::string, TensorView> tensors;    // they keep the mapping alive
  std::map<std::string, std::string> metadata;  // "__metadata__"
};

// Throws UserError naming the file, and the tensor where there is one, when the header is damaged,
// a type is not supported, or the tensors overlap, leave holes or do not fill the file.
SafetensorsFile read_safetensors(const std::shared_ptr<const MappedFile>& file);

}  // namespace vllama::weights

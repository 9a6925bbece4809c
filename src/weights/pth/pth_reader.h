// Reads the files that torch.save writes: .pth, .pt and .bin, in the zip and in the older stream
// container. Nothing in a file is ever executed.
#pragma once

#include <filesystem>

#include "core/files.h"
#include "weights/values/value.h"

namespace vllama::weights {

// The object in the file. Its tensors view the mapping, which lives as long as any of them. Throws
// UserError naming the file and, for the pickle, the opcode and its offset.
Value read_pth(const std::filesystem::path& path);
Value read_pth(const std::shared_ptr<const MappedFile>& file);

}  // namespace vllama::weights

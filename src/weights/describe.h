// Says what a weight file, a Hugging Face folder or a saved step holds.
#pragma once

#include <filesystem>
#include <string>

namespace vllama::weights {

enum class DescriptionFormat { text, json };

// Names, types, shapes and Frobenius norms of all tensors, the totals, and every other value (the
// configuration and scalars of a .pth, the metadata of a .safetensors file, config.json of a
// folder, the texts of a step). Text is a table with one line per tensor, JSON one object:
//   {"path", "format", "tensors": [{"name", "dtype", "shape", "norm", "file"}], "values": {...},
//    "totals": {"tensors", "elements", "bytes"}}
// A norm that is not finite is null in JSON. Throws UserError if the path cannot be read.
std::string describe(const std::filesystem::path& path, DescriptionFormat format);

}  // namespace vllama::weights

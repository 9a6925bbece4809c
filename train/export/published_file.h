// A checkpoint file of the Python original, converted as it is.
#pragma once

#include "train/export/export.h"

namespace vllama::train {

// Whether a path names a weight file in the form of PyTorch. Throws UserError for a file of any
// other form that is no configuration either.
bool is_published_file(const std::filesystem::path& path);

// export_safetensors() of such a file: the trained part of each branch that it holds, in fp32.
// Throws UserError if it holds a branch in part, or none.
void convert_published_file(const ExportOptions& options);

}  // namespace vllama::train

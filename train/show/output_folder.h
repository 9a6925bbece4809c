// The folder that show writes into; what is wrong with it is for the user to mend.
#pragma once

#include <filesystem>
#include <string_view>

#include "media/image.h"

namespace vllama::train {

// Both create the folder where it is absent, and throw UserError naming --output.
void write_output(const std::filesystem::path& folder, const char* name, std::string_view content);
// An empty picture is none: one that is there is removed. Returns whether it was written.
bool write_output(const std::filesystem::path& folder, const char* name,
                  const media::Image& picture);

}  // namespace vllama::train

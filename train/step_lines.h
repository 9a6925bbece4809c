// Files of one JSON object per line, each about a step, when a run goes back to an earlier step.
#pragma once

#include <filesystem>
#include <functional>
#include <string>

namespace vllama::train {

// Leaves in the file, if there is one, the lines for which `is_kept` is true. Returns the path.
// Throws RunFailure if the file cannot be written.
std::filesystem::path keep_lines(const std::filesystem::path& path,
                                 const std::function<bool(const std::string& line)>& is_kept);

}  // namespace vllama::train

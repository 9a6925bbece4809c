// Files of one JSON object per line, each about a step, when a run goes back to an earlier step.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

namespace vllama::train {

// Leaves in the file, if there is one, the lines for which `is_kept` is true. Returns the path.
// Throws RunFailure if the file cannot be written.
std::filesystem::path keep_lines(const std::filesystem::path& path,
                                 const std::function<bool(const std::string& line)>& is_kept);

// Leaves those whose "step" is at most `num_steps`.
std::filesystem::path keep_first_steps(const std::filesystem::path& path, std::int64_t num_steps);

}  // namespace vllama::train

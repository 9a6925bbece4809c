// Which of the known names a mistyped one was meant to be.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace vllama {

// The one of `names` that is at most two edits of a character from `name` and fewer than it has
// characters, the nearest first; else one that begins with `name`, or that `name` begins with.
std::optional<std::string> nearest_name(const std::string& name,
                                        const std::vector<std::string>& names);

}  // namespace vllama

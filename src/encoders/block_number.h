// The numbers of blocks in published names.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace vllama::encoders {

// The number N of a name "...LAYERS.N...", where `layers` ends in a dot and begins the name or
// follows one. Names come from files and may be of any length.
std::optional<std::int64_t> block_number(std::string_view name, std::string_view layers);

}  // namespace vllama::encoders

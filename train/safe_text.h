// Text from data made safe to print.
#pragma once

#include <string>
#include <string_view>

namespace vllama::train {

// Control characters, also those beyond ASCII, as \xNN: no text can steer a terminal. Line ends
// become "\n", or U+23CE.
std::string visible(std::string_view text, bool has_unicode = false);

}  // namespace vllama::train

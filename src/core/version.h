// Which program this is.
#pragma once

#include <string>

namespace vllama {

// "0.1.0"
std::string program_version();

}  // namespace vllama

// What contradicts itself in settings, all of it at once.
#pragma once

#include <string>
#include <vector>

namespace vllama {

// Throws UserError with all that is in the list; does nothing if that is empty.
void require_none(const std::vector<std::string>& broken);

}  // namespace vllama

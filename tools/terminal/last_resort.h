// Ends a process that cannot end by itself: after a failure its destructors may wait for a reader,
// a device or a network that never comes back, and its launcher would wait for it.
#pragma once

#include <string>

namespace vllama::tools {

// Returns at once. A process that still runs after so many seconds says why and ends with status 1.
void end_process_after(double seconds, const std::string& reason);

}  // namespace vllama::tools

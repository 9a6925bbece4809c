// Warnings about files.
#pragma once

#include <string>

namespace vllama::log {

// As warn(), but the same text only once in the life of the process: a start opens a file several
// times, for its kind, its sizes and its values.
void warn_once(const std::string& text);

}  // namespace vllama::log

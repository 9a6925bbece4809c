// Which containers are read, and what other files are called.
#pragma once

#include <string>
#include <string_view>

#include "media/file_range.h"

namespace vllama::media {

// The names of FFmpeg's demuxers that may open a file, with commas between.
const char* readable_containers();

// What the first bytes of a file can only be, so far as that is no video or sound, in words that
// follow "is": "a web page (HTML)", "a ZIP archive". Empty for all else.
std::string_view kind_of_other_file(std::string_view first_bytes);

// Why FFmpeg did not open a file, in words that follow its name; empty if the file is of a
// container that is read, and so must be damaged. Names what the bytes look like, with the help of
// the name's extension for containers that have no mark of their own.
std::string reason_not_opened(const OpenRange& file, const std::string& name);

}  // namespace vllama::media

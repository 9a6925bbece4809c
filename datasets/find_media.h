// Finds a media file whose annotations do not say what it is called in full.
#pragma once

#include <filesystem>
#include <initializer_list>
#include <string_view>

namespace vllama::datasets {

// The first file `<stem>.<extension>` that exists: all extensions of the first stem, then those of
// the next. If there is none, the first name, which the error will then show.
std::filesystem::path first_existing(std::initializer_list<std::filesystem::path> stems,
                                     std::initializer_list<std::string_view> extensions);

}  // namespace vllama::datasets

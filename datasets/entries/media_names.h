// What names of media say: the kinds that extensions stand for.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string_view>

#include "datasets/entries/record.h"

namespace vllama::datasets {

// The kind that the extension stands for, in upper or lower case; nothing if it is none that media
// have, as in "v_abc" or "abc_12.5".
std::optional<MediaKind> kind_of_name(const std::filesystem::path& name);

// The extensions that files of a kind have, without the dot, in the order in which they are looked
// for where annotations give none.
std::span<const std::string_view> extensions_of(MediaKind kind);

// Those of all kinds: videos first, then sounds, then images.
std::span<const std::string_view> all_extensions();

}  // namespace vllama::datasets

// What the reader and the writer of zip files share of the format (PKWARE APPNOTE 4.3.7, 4.5.3).
#pragma once

#include <cstddef>
#include <cstdint>

namespace vllama::weights {

// A local header up to the name of its file.
inline constexpr std::size_t kLocalHeaderBytes = 30;
inline constexpr std::uint16_t kZip64ExtraId = 0x0001;

}  // namespace vllama::weights

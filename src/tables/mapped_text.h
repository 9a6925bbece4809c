// What readers of large mapped text files have in common.
#pragma once

#include <cstddef>
namespace vllama::tables {

// How much of a file may be resident while it is scanned.
inline constexpr std::size_t kScanWindowBytes = std::size_t{8} << 20;
// What one access to a row, line or element can make resident: the kernel maps some pages around
// the one it needs.
inline constexpr std::size_t kAccessWindowBytes = std::size_t{128} << 10;

}  // namespace vllama::tables

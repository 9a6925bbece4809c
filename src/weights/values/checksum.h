// CRC-32 (ISO 3309, as in zip files).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace vllama::weights {

// Continues `crc`, the checksum of the bytes in front.
std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc = 0);

}  // namespace vllama::weights

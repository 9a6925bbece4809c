// CRC-32 by zlib.
#include "weights/values/checksum.h"

#include <zlib.h>

namespace vllama::weights {

std::uint32_t crc32(std::span<const std::byte> bytes, std::uint32_t crc) {
  return static_cast<std::uint32_t>(
      ::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

}  // namespace vllama::weights

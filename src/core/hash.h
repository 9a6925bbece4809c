// A short, stable name for any bytes: the same on every machine, not meant to withstand an
// attacker.
#pragma once

#include <cstdint>
#include <string_view>

namespace vllama {

// FNV-1a, 64 bit.
constexpr std::uint64_t fnv1a(std::string_view bytes) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char byte : bytes) hash = (hash ^ static_cast<unsigned char>(byte)) * 0x100000001b3;
  return hash;
}

}  // namespace vllama

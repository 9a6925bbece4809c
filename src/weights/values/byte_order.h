// Little-endian numbers in byte sequences. The project supports little-endian machines only.
#pragma once

#include <bit>
#include <cstddef>
#include <cstring>
#include <span>
#include <string>

namespace vllama::weights {

static_assert(std::endian::native == std::endian::little, "tensors are mapped as they lie on disk");

// The number that starts at `offset`; the caller has checked that it lies inside `bytes`.
template <class T>
T read_number(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof value);
  return value;
}

template <class T>
void append_number(std::string& bytes, T value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace vllama::weights

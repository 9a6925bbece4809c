// The header block of a tar archive's member, as POSIX and GNU tar lay it out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace vllama::datasets {

inline constexpr std::int64_t kTarBlockBytes = 512;

struct TarHeader {
  std::array<char, 100> name;
  std::array<char, 8> mode, user, group;
  std::array<char, 12> size, time;
  std::array<char, 8> checksum;
  char type;
  std::array<char, 100> link_target;
  std::array<char, 8> magic;  // with the version
  std::array<char, 32> user_name, group_name;
  std::array<char, 8> major_device, minor_device;
  std::array<char, 155> prefix;
  std::array<char, 12> padding;

  bool is_zero() const;
  // Also true for the sum of signed bytes that some old programs wrote.
  bool has_right_checksum() const;
  // It says something about the member that follows it, or about all.
  bool is_extension() const { return type == 'L' || type == 'K' || type == 'x' || type == 'g'; }
  // The number in `size`, octal or binary; nothing if it is none, negative, or beyond 63 bits.
  std::optional<std::int64_t> content_bytes() const;
  std::string full_name() const;
};
static_assert(sizeof(TarHeader) == kTarBlockBytes);

// A header for a file of 0644 that belongs to nobody and is as old as time, so that equal members
// make equal bytes. The name has at most 100 bytes.
TarHeader file_header(const std::string& name, std::int64_t num_bytes);

}  // namespace vllama::datasets

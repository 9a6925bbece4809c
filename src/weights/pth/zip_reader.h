// The directory of a zip file whose members are stored without compression.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace vllama::weights {

struct ZipMember {
  std::string name;
  std::uint64_t offset;  // of the first byte of the content, in the file
  std::uint64_t num_bytes;
};

// Reads the central directory (zip64 included; sizes in local headers are not trusted). All members
// must be stored, lie inside the file in front of the central directory, not overlap, and have
// different names. Throws UserError whose message begins with `file_name`.
std::vector<ZipMember> read_zip_directory(std::span<const std::byte> file,
                                          const std::string& file_name);

}  // namespace vllama::weights

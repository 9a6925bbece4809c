// Writes a zip file of stored members whose contents are aligned for memory mapping.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/files.h"

namespace vllama::weights {

class ZipWriter {
 public:
  // Every content starts at a multiple of this, so that tensors can be mapped.
  static constexpr std::uint64_t kAlignment = 64;

  explicit ZipWriter(AtomicFile& file) : file_(file) {}

  // Writes a member with its true size and checksum in its header.
  void add(const std::string& name, std::span<const std::byte> content);
  // Writes the central directory, in zip64 form where the file needs it. Does not commit.
  void finish();

 private:
  struct Member {
    std::string name;
    std::uint64_t num_bytes, header_offset;
    std::uint32_t checksum;
  };

  void append_entry(std::string& directory, const Member& member) const;

  AtomicFile& file_;
  std::vector<Member> members_;
};

}  // namespace vllama::weights

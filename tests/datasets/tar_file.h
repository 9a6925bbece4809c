// Tar archives for tests, made header by header, and by the system's own program.
#pragma once

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "datasets/shards/tar_header.h"

namespace vllama::datasets {

// The header's bytes after a change to its fields.
inline std::string header_bytes(TarHeader header) {
  header.checksum.fill(' ');
  const auto* bytes = reinterpret_cast<const unsigned char*>(&header);
  unsigned sum = 0;
  for (std::size_t i = 0; i < sizeof(header); ++i) sum += bytes[i];
  std::snprintf(header.checksum.data(), header.checksum.size(), "%06o", sum);
  return {reinterpret_cast<const char*>(&header), sizeof(header)};
}

inline std::string with_padding(std::string content) {
  content.resize((content.size() + 511) / 512 * 512);
  return content;
}

// A member with its content; `type` as in the header.
inline std::string tar_member(const std::string& name, const std::string& content,
                              char type = '0') {
  TarHeader header = file_header(name, static_cast<std::int64_t>(content.size()));
  header.type = type;
  return header_bytes(header) + with_padding(content);
}

inline const std::string kTarEnd(1024, '\0');

// An archive of these members.
inline std::filesystem::path write_tar(
    const std::filesystem::path& path,
    const std::vector<std::pair<std::string, std::string>>& members) {
  std::ofstream file(path, std::ios::binary);
  for (const auto& [name, content] : members) file << tar_member(name, content);
  file << kTarEnd;
  return path;
}

}  // namespace vllama::datasets

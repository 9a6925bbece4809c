// manifest.json of a saved step: what belongs to the step, and the proof that it is unchanged.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/files.h"

namespace vllama::checkpoint {

struct FileFacts {
  std::uint64_t num_bytes = 0;
  std::uint32_t crc32 = 0;

  bool operator==(const FileFacts&) const = default;
};

struct Manifest {
  std::int64_t step = 0;
  std::map<std::string, FileFacts> files;  // all files of the step but the manifest itself
};

inline constexpr std::string_view kManifestName = "manifest.json";

// True for what a manifest may list: a plain UTF-8 name without a folder in it, not hidden, and not
// the manifest's own.
bool is_file_of_a_step(const std::string& name);

// Reads the whole file, and lets its pages go again.
FileFacts facts_of(const MappedFile& file);

// JSON, one fact per line. Its last field is the CRC-32 of all lines above that field.
std::string manifest_text(const Manifest& manifest);

// The manifest that the text was made of. Throws UserError for any other text than manifest_text()
// gives, so no byte of a manifest can change unnoticed.
Manifest parse_manifest(std::string_view text);

}  // namespace vllama::checkpoint

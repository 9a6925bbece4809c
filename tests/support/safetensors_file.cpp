#include "tests/support/safetensors_file.h"

#include <nlohmann/json.hpp>

namespace vllama::test {

SafetensorsFile::SafetensorsFile(const std::filesystem::path& path)
    : file_(MappedFile::open(path)) {
  const auto bytes = file_->bytes();
  const auto fail = [&](const std::string& problem) {
    throw UserError("'" + path.string() + "': " + problem);
  };
  std::uint64_t header_size = 0;  // little-endian, as this machine
  if (bytes.size() < sizeof(header_size)) fail("is too short");
  std::memcpy(&header_size, bytes.data(), sizeof(header_size));
  if (header_size > bytes.size() - sizeof(header_size)) fail("its header is cut off");
  const auto data = bytes.subspan(sizeof(header_size) + header_size);
  const auto header = nlohmann::json::parse(file_->text().substr(sizeof(header_size), header_size));
  for (const auto& [name, facts] : header.items()) {
    if (name == "__metadata__") continue;
    const auto begin = facts.at("data_offsets").at(0).get<std::size_t>();
    const auto end = facts.at("data_offsets").at(1).get<std::size_t>();
    if (begin > end || end > data.size()) fail("'" + name + "' lies outside of the file");
    entries_[name] = {facts.at("dtype"), facts.at("shape"), data.subspan(begin, end - begin)};
  }
}

const SafetensorsEntry& SafetensorsFile::at(const std::string& name) const {
  const auto entry = entries_.find(name);
  if (entry == entries_.end())
    throw UserError("'" + file_->path().string() + "': has no tensor '" + name + "'");
  return entry->second;
}

}  // namespace vllama::test

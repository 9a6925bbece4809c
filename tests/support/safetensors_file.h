// Reads .safetensors files of reference numbers, for tests that do without libtorch.
#pragma once

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"

namespace vllama::test {

struct SafetensorsEntry {
  std::string dtype;  // "F32", "I64", "U8", ...
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // a view into the file, alive as long as its SafetensorsFile
};

class SafetensorsFile {
 public:
  // Throws UserError naming the file if it is absent or malformed.
  explicit SafetensorsFile(const std::filesystem::path& path);

  const std::map<std::string, SafetensorsEntry>& entries() const { return entries_; }
  // Throws UserError naming file and tensor if there is none of this name.
  const SafetensorsEntry& at(const std::string& name) const;

  // The values of a tensor, row-major, copied as numbers of type T (float for "F32" and so on).
  template <class T>
  std::vector<T> values(const std::string& name) const {
    const std::span<const std::byte> bytes = at(name).bytes;
    VLLAMA_ASSERT(bytes.size() % sizeof(T) == 0, name + " does not hold numbers of this size");
    std::vector<T> numbers(bytes.size() / sizeof(T));
    if (!numbers.empty()) std::memcpy(numbers.data(), bytes.data(), bytes.size());
    return numbers;
  }

 private:
  std::shared_ptr<const MappedFile> file_;
  std::map<std::string, SafetensorsEntry> entries_;
};

}  // namespace vllama::test

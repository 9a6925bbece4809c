// The elements of a JSON array in a file of any size, found in one pass and parsed on access.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "datasets/json_text.h"

namespace vllama::datasets {

class JsonArray {
 public:
  // The array is the whole file if `key` is empty, else the member `key` of the object that the
  // file is. Throws UserError naming file and byte if it is not there or not JSON as a whole; the
  // elements themselves are not looked into.
  JsonArray(const std::filesystem::path& path, std::string_view key);

  std::int64_t size() const { return static_cast<std::int64_t>(elements_.size()); }
  // Parses an element. Throws UserError naming its place if it is not JSON. Thread-safe.
  ParsedJson element(std::int64_t index) const;
  // Lets the pages of the elements from `first` to `last` leave memory.
  void release(std::int64_t first, std::int64_t last) const;
  // "chat.json, element 17 (byte 2048)", elements counted from 0.
  std::string place(std::int64_t index) const;

 private:
  struct Extent {
    std::uint64_t begin, length;
  };

  std::shared_ptr<const MappedFile> file_;
  std::vector<Extent> elements_;
};

}  // namespace vllama::datasets

// Data sets whose records are the elements of a JSON array; each format gives its own reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "datasets/json_array.h"
#include "datasets/record.h"

namespace vllama::datasets {

// An element and where it stands, for messages.
struct JsonElement {
  const nlohmann::json& value;
  std::string place;
};

// The member `key` of an element that must be an object. Throws UserError naming the place, the key
// and the keys that are there.
const nlohmann::json& member(const JsonElement& element, const char* key);
// The same as text; an integer is written out. Empty if it is null. Throws UserError for other
// types.
std::string text_member(const JsonElement& element, const char* key);

class JsonDataset : public Dataset {
 public:
  struct Invalid {
    std::string_view reason;  // a stable lower-case name
  };
  // Turns an element into a record, or says why it is none. Throws UserError where the file is of
  // another format. Must be pure.
  using Reader = std::function<std::variant<Record, Invalid>(const JsonElement&)>;

  // Reads every element once. Throws UserError, also if not one is valid.
  JsonDataset(const std::filesystem::path& path, std::string_view key, Reader reader);

  std::int64_t size() const override { return static_cast<std::int64_t>(valid_.size()); }
  Record record(std::int64_t index) const override;
  const InvalidEntries& invalid() const override { return invalid_; }

 private:
  std::variant<Record, Invalid> read(std::int64_t element) const;

  JsonArray elements_;
  Reader reader_;
  std::vector<std::int64_t> valid_;  // elements that are records
  InvalidEntries invalid_;
};

}  // namespace vllama::datasets

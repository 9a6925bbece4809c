// Data sets whose records are the elements of a JSON array; each format gives its own reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "datasets/entry_check.h"
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

struct JsonFormat {
  std::string key;  // of the array in the file's object; empty if the file is the array
  Ids ids = Ids::may_repeat;
  // Turns an element into a record. Throws EntryError or text::TextError if it is none, and
  // UserError where the file is of another format. Looks at nothing else.
  std::function<Record(const JsonElement&)> read;
  // Completes a record that is asked for by looking for its files; not needed in every format.
  std::function<void(Record&)> find_media = {};
};

class JsonDataset : public Dataset {
 public:
  // Reads every element once. Throws UserError, also if not one is valid.
  JsonDataset(const std::filesystem::path& path, JsonFormat format);

  std::int64_t size() const override { return static_cast<std::int64_t>(valid_.size()); }
  Record record(std::int64_t index) const override;
  const InvalidEntries& invalid() const override { return entries_.invalid; }
  const OddEntries& odd() const override { return entries_.odd; }

 private:
  JsonArray elements_;
  JsonFormat format_;
  std::vector<std::int64_t> valid_;  // elements that are records
  EntryTallies entries_;
};

}  // namespace vllama::datasets

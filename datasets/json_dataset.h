// Data sets whose records are the elements of a JSON array; each format gives its own reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "core/files.h"
#include "datasets/entry_check.h"
#include "datasets/index_file.h"
#include "datasets/json_text.h"
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
  std::string reader;  // of the index: a name and a number, see IndexKey
  std::string key;     // of the array in the file's object; empty if the file is the array
  Ids ids = Ids::may_repeat;
  // Turns an element into a record. Throws EntryError or text::TextError if it is none, and
  // UserError where the file is of another format. Looks at nothing else.
  std::function<Record(const JsonElement&)> read;
  // Completes a record that is asked for by looking for its files; not needed in every format.
  std::function<void(Record&)> find_media = {};
};

class JsonDataset : public Dataset {
 public:
  // Reads every element once, for the index. Throws UserError, also if not one is valid.
  JsonDataset(const std::filesystem::path& path, JsonFormat format,
              const IndexFolder& indexes = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(places_.size()); }
  Record record(std::int64_t index) const override;
  const InvalidEntries& invalid() const override { return entries_.invalid; }
  const OddEntries& odd() const override { return entries_.odd; }

 private:
  struct Place {
    std::uint64_t begin, length;  // bytes in the file
    std::uint64_t element;        // its number in the array, from 0
  };

  IndexContent make_index() const;
  // Throws UserError naming the place if the element is not JSON.
  ParsedJson parse(const Place& place) const;
  // "chat.json, element 17 (byte 2048)"
  std::string place_text(const Place& place) const;
  // Lets the pages from the first to the last element leave memory.
  void release(const Place& first, const Place& last) const;

  std::shared_ptr<const MappedFile> file_;
  JsonFormat format_;
  Index index_;
  std::span<const Place> places_;  // of the valid elements
  EntryTallies entries_;
};

}  // namespace vllama::datasets

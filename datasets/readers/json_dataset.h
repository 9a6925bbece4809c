// Data sets whose records are the elements of a JSON file; each format gives its own reader.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

#include "datasets/entries/entry_check.h"
#include "datasets/entries/record.h"
#include "datasets/index/index_file.h"
#include "tables/annotation_text.h"
#include "tables/json_text.h"

namespace vllama::datasets {

struct JsonFormat {
  std::string reader;  // of the index: a name and a number, see IndexKey
  std::string key;  // of the array in the file's object; empty if the file is the array, or lines
  Ids ids = Ids::may_repeat;
  // Turns an element into a record. Throws EntryError or text::TextError if it is none. Looks at
  // nothing else.
  std::function<Record(const nlohmann::json& element)> read;
  // Completes a record that is asked for by looking for its files; not needed in every format.
  std::function<void(Record&)> find_media = {};
};

class JsonDataset : public Dataset {
 public:
  // Reads every element once, for the index; one that is not JSON is invalid for not_json. Throws
  // UserError as find_elements() and AnnotationText do, and if not one is valid.
  JsonDataset(const std::filesystem::path& path, JsonFormat format,
              const IndexFolder& indexes = {});

  std::int64_t size() const override { return static_cast<std::int64_t>(places_.size()); }
  Record record(std::int64_t index) const override;
  const tables::InvalidEntries& invalid() const override { return entries_.invalid; }
  const tables::DoubtfulEntries& doubtful() const override { return entries_.doubtful; }

 private:
  struct Place {
    std::uint64_t begin, length;  // bytes in the file
    std::uint64_t element;        // its number in the array, from 0
  };

  IndexContent make_index() const;
  // Throws EntryError not_json.
  tables::ParsedJson parse(const Place& place) const;
  // "chat.json, element 17 (line 3, byte 2048)"
  std::string place_text(const Place& place, std::int64_t line) const;
  // Lets the pages from the first to the last element leave memory.
  void release(const Place& first, const Place& last) const;

  tables::AnnotationText text_;
  JsonFormat format_;
  Index index_;
  std::span<const Place> places_;  // of the valid elements
  tables::EntryTallies entries_;
};

}  // namespace vllama::datasets

// JSON text as a value, with a word about keys that an object names twice.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace vllama::tables {

struct ParsedJson {
  nlohmann::json value;
  std::string repeated_key;  // one that an object has twice, its last value counts; else empty
};

// Throws nlohmann::json::exception for what is not JSON, and for numbers beyond all doubles.
ParsedJson parse_json(std::string_view text);

// The same for an entry of a data set: what is not JSON is an EntryError not_json.
ParsedJson parse_entry(std::string_view text);

}  // namespace vllama::tables

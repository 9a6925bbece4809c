// Parts of the JSON files that describe a vocabulary, which may hold anything.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "text/tokenizers/tokenizer_json.h"

namespace vllama::text {

// The member of an object; null where there is none.
const nlohmann::json& member(const nlohmann::json& object, const char* key);

// Its "type"; empty where it has none.
std::string type_of(const nlohmann::json& part);

// Whether the member is there and true.
bool flag(const nlohmann::json& part, const char* key);

// The parts of a "Sequence", which it names so, or the part alone; none of null.
std::vector<nlohmann::json> parts_of(const nlohmann::json& part, const char* list);

bool is_empty_text(const nlohmann::json& value);

// Throws UserError that names the file, the place, the value, and what is known in its place.
[[noreturn]] void refuse(const TokenizerJson& file, const std::string& where,
                         const nlohmann::json& value, const std::string& known);

}  // namespace vllama::text

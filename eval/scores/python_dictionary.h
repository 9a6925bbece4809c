// The text of a small Python dictionary, which judges are asked to reply with.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

namespace vllama::eval {

// {'key': 'text', "other": 4.8}: quoted keys, values that are quoted text or numbers, nothing
// nested. Inside of quotes a backslash stands before a quote, a backslash or n. White space around
// it is passed over. Throws UserError beginning with `where`.
nlohmann::json parse_python_dictionary(const std::string& text, const std::string& where);

}  // namespace vllama::eval

// The members of a JSON object from outside, with messages that name file, line and key.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <vector>

namespace vllama::eval {

// Throws UserError: `where`, and what is wrong.
nlohmann::json parse_json(const std::string& text, const std::string& where);

class JsonMembers {
 public:
  // Both must outlive this. Throws UserError if `object` is not an object.
  JsonMembers(const nlohmann::json& object, const std::string& where);

  // Each throws UserError with `where` and the key.
  void allow_only(std::span<const char* const> keys) const;
  bool has(const char* key) const { return object_.contains(key); }
  const nlohmann::json& required(const char* key) const;
  std::string text(const char* key) const;
  double number(const char* key) const;                   // finite
  std::int64_t count(const char* key) const;              // a whole number from 0
  std::vector<std::string> texts(const char* key) const;  // a list
  std::vector<double> numbers(const char* key) const;     // a list, each finite
  [[noreturn]] void fail(const std::string& problem) const;

 private:
  const nlohmann::json& object_;
  const std::string& where_;
};

}  // namespace vllama::eval

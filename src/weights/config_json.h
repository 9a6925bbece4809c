// Typed access to the keys of a Hugging Face config.json, with the file's name in every message.
#pragma once

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace vllama::weights {

class ConfigJson {
 public:
  // Throws UserError naming the file if it cannot be read, or is not one JSON object.
  explicit ConfigJson(const std::filesystem::path& file);

  // Throws UserError "FILE: 'KEY' PROBLEM".
  [[noreturn]] void fail(const std::string& key, const std::string& problem) const;

  // A key that is null counts as absent.
  bool has(const std::string& key) const;
  const nlohmann::json& object() const { return object_; }

  // All of these throw UserError where the value is of another kind.
  std::int64_t positive(const std::string& key) const;  // also where it is absent
  std::int64_t positive(const std::string& key, std::int64_t absent) const;
  double number(const std::string& key) const;  // positive; also where it is absent
  double number(const std::string& key, double absent) const;
  bool flag(const std::string& key) const;  // false where it is absent
  std::string text(const std::string& key, const std::string& absent) const;
  // The map below `key`; its keys are called "KEY.NAME" in messages.
  ConfigJson section(const std::string& key) const;

 private:
  ConfigJson(nlohmann::json object, std::string file, std::string path)
      : object_(std::move(object)), file_(std::move(file)), path_(std::move(path)) {}

  nlohmann::json object_;
  std::string file_;
  std::string path_ = {};  // of a section, with its dot
};

// A value as a message shows it: short, printable, on one line.
std::string shown(const nlohmann::json& value);

}  // namespace vllama::weights

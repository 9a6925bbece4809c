#include "encoders/hf_folder.h"

#include <fmt/format.h>

#include <cmath>

#include "weights/file_sizes.h"
#include "weights/values/readable.h"

namespace vllama::encoders {
namespace {

constexpr double kRelativeDifference = 1e-6;  // of numbers that are written in decimals

std::optional<weights::ConfigJson> read_json(const std::filesystem::path& file) {
  std::error_code error;
  if (!std::filesystem::is_regular_file(file, error)) return std::nullopt;
  return weights::ConfigJson(file);
}

}  // namespace

std::optional<weights::ConfigJson> read_hf_config(const std::filesystem::path& weights,
                                                  const std::string& section) {
  auto json = read_json(weights / "config.json");
  if (json && !section.empty() && json->has(section)) return json->section(section);
  return json;
}

std::optional<weights::ConfigJson> read_hf_preprocessor(const std::filesystem::path& weights) {
  return read_json(weights / "preprocessor_config.json");
}

void take_heads(weights::FileSizes& file, const std::string& section, config::Size& num_heads,
                const config::Size& width, std::int64_t published_width,
                const std::optional<weights::ConfigJson>& json, const std::string& name) {
  const bool is_told = json && json->has(name);
  if (is_told) file.take(section + ".num_heads", num_heads, json->positive(name), "config.json");
  // What is told is no guess at any width.
  file.check_heads(section, num_heads, width, is_told ? std::int64_t{width} : published_width);
}

void require_text(const weights::ConfigJson& json, const std::string& name,
                  const std::string& expected) {
  const std::string found = json.text(name, expected);
  if (found != expected)
    json.fail(name, fmt::format("is '{}', and what is computed here is '{}'",
                                weights::readable(found), expected));
}

void require_number(const weights::ConfigJson& json, const std::string& name, double expected) {
  const double found = json.number(name, expected);
  if (std::abs(found - expected) > kRelativeDifference * expected)
    json.fail(name, fmt::format("is {}, and what these weights take is {}", found, expected));
}

}  // namespace vllama::encoders

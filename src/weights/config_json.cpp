#include "weights/config_json.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "core/json_depth.h"
#include "weights/pth/file_format.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

using json = nlohmann::json;

json parsed(const std::filesystem::path& file) {
  const std::string text = read_file(file);
  const auto format = file_format(std::as_bytes(std::span(text)));
  if (format == FileFormat::git_lfs_pointer || format == FileFormat::html ||
      format == FileFormat::empty)
    throw UserError(
        fmt::format("{}: not a JSON object: {}", file.string(), description_of(format)));
  if (is_nested_too_deep(text))
    throw UserError(fmt::format("{}: nested more than {} deep", file.string(), kMaxJsonDepth));
  json object = json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object()) throw UserError(file.string() + ": not a JSON object");
  return object;
}

}  // namespace

ConfigJson::ConfigJson(const std::filesystem::path& file)
    : object_(parsed(file)), file_(file.string()) {}

void ConfigJson::fail(const std::string& key, const std::string& problem) const {
  throw UserError(fmt::format("{}: '{}{}' {}", file_, path_, readable(key), problem));
}

bool ConfigJson::has(const std::string& key) const {
  return object_.contains(key) && !object_.at(key).is_null();
}

std::int64_t ConfigJson::positive(const std::string& key) const {
  if (!has(key)) fail(key, "is missing");
  const json& value = object_.at(key);
  if (!value.is_number_integer() || value.get<std::int64_t>() < 1 ||
      value.get<std::int64_t>() > (std::int64_t{1} << 31))
    fail(key, "must be a positive whole number");
  return value.get<std::int64_t>();
}

std::int64_t ConfigJson::positive(const std::string& key, std::int64_t absent) const {
  return has(key) ? positive(key) : absent;
}

double ConfigJson::number(const std::string& key) const {
  if (!has(key)) fail(key, "is missing");
  if (!object_.at(key).is_number() || !(object_.at(key).get<double>() > 0))
    fail(key, "must be a positive number");
  return object_.at(key).get<double>();
}

double ConfigJson::number(const std::string& key, double absent) const {
  return has(key) ? number(key) : absent;
}

bool ConfigJson::flag(const std::string& key) const {
  if (!has(key)) return false;
  if (!object_.at(key).is_boolean()) fail(key, "must be true or false");
  return object_.at(key).get<bool>();
}

std::string ConfigJson::text(const std::string& key, const std::string& absent) const {
  if (!has(key)) return absent;
  if (!object_.at(key).is_string()) fail(key, "must be text");
  return object_.at(key).get<std::string>();
}

ConfigJson ConfigJson::section(const std::string& key) const {
  if (!object_.at(key).is_object()) fail(key, "must be a map");
  return {object_.at(key), file_, path_ + key + "."};
}

std::string shown(const json& value) {
  constexpr std::size_t kMaxBytes = 60;
  std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  if (text.size() > kMaxBytes) text = text.substr(0, kMaxBytes) + "...";
  return text;
}

}  // namespace vllama::weights

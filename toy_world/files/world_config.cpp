#include "toy_world/files/world_config.h"

#include <fmt/format.h>

#include <array>
#include <nlohmann/json.hpp>
#include <system_error>

#include "core/error.h"
#include "core/files.h"

namespace vllama::toy {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFile = "world.json";
constexpr const char* kKind = "vllama toy world";
// Grows whenever the same seed would give other files.
constexpr std::int64_t kVersion = 2;

constexpr std::int64_t kMostFiles = 1'000'000;
constexpr std::int64_t kBytesPerClip = 80'000, kBytesPerImage = 4'000, kBytesPerSound = 260'000;
constexpr std::int64_t kLongClipsPerEight = 1 + 2 + 4 + 8;  // seconds of all lengths / 8

struct Size {
  const char* option;
  std::int64_t WorldConfig::*number;
  std::int64_t least;
};

constexpr std::array kSizes{
    Size{"videos", &WorldConfig::num_videos, 1}, Size{"images", &WorldConfig::num_images, 1},
    Size{"test", &WorldConfig::num_test, 1},     Size{"sounds", &WorldConfig::num_sounds, 0},
    Size{"movers", &WorldConfig::num_movers, 0}, Size{"long", &WorldConfig::num_long, 0}};

std::string text_of(const WorldConfig& config) {
  nlohmann::ordered_json json{{"kind", kKind}, {"version", kVersion}, {"seed", config.seed}};
  for (const Size& size : kSizes) json[size.option] = config.*size.number;
  return json.dump(2) + "\n";
}

[[noreturn]] void not_ours(const fs::path& folder, const std::string& why) {
  throw UserError(fmt::format("'{}' {}: name a folder that is new or empty", folder.string(), why));
}

// A text is at most a seed of 20 digits; anything else in its place is not ours.
std::string written(const nlohmann::json& json, const char* key) {
  return json.contains(key) ? json[key].dump() : "nothing";
}

void require_same(const fs::path& folder, const WorldConfig& config) {
  const auto there = nlohmann::json::parse(read_file(folder / kFile), nullptr, false);
  if (!there.is_object() || !there.contains("kind") || there["kind"] != kKind)
    not_ours(folder, fmt::format("holds a {} that is not of a toy world", kFile));
  if (!there.contains("version") || there["version"] != kVersion)
    not_ours(folder,
             fmt::format("was written by another version of vllama (its worlds have version {}, "
                         "those of this one {})",
                         written(there, "version"), kVersion));
  const auto wanted = nlohmann::json::parse(text_of(config));
  for (const auto& [key, value] : wanted.items())
    if (!there.contains(key) || there[key] != value)
      throw UserError(
          fmt::format("'{}' holds a world made with --{} {}, not {}: give the same options to "
                      "go on with it, or name another folder",
                      folder.string(), key, written(there, key.c_str()), value.dump()));
}

void require_space(const fs::path& folder, const WorldConfig& config) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  const auto needed = static_cast<std::uintmax_t>(expected_bytes(config));
  if (!error && space.available < needed)
    throw UserError(
        fmt::format("such a world takes about {:.1f} GB, but the disk of '{}' has {:.1f} GB left: "
                    "ask for fewer files, or name a folder on another disk",
                    static_cast<double>(needed) / 1e9, folder.string(),
                    static_cast<double>(space.available) / 1e9));
}

void make_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (!error && !fs::is_directory(folder)) error = std::make_error_code(std::errc::not_a_directory);
  if (error)
    throw UserError(
        fmt::format("the folder '{}' cannot be created: {}", folder.string(), error.message()));
}

}  // namespace

void check_sizes(const WorldConfig& config) {
  for (const Size& size : kSizes) {
    const std::int64_t number = config.*size.number;
    if (number < size.least || number > kMostFiles)
      throw UserError(fmt::format("--{} is {}, but must be {} to {}", size.option, number,
                                  size.least, kMostFiles));
  }
}

std::int64_t expected_bytes(const WorldConfig& config) {
  const std::int64_t num_clips = config.num_videos + 3 * config.num_test + config.num_movers +
                                 kLongClipsPerEight * config.num_long;
  return num_clips * kBytesPerClip + config.num_images * kBytesPerImage +
         (config.num_sounds + config.num_test) * kBytesPerSound;
}

void claim_folder(const fs::path& folder, const WorldConfig& config) {
  check_sizes(config);
  make_folder(folder);
  std::error_code error;
  if (fs::exists(folder / kFile, error)) return require_same(folder, config);
  if (!fs::is_empty(folder, error))
    not_ours(folder, fmt::format("is not empty and holds no {}", kFile));
  require_space(folder, config);
  try {
    write_file_atomically(folder / kFile, text_of(config));
  } catch (const RunFailure& failure) {
    throw UserError(fmt::format("{}: name a folder that can be written to", failure.what()));
  }
}

}  // namespace vllama::toy

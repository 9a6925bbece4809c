#include "inference/bundle/file_hash.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/sha256.h"

namespace vllama::inference {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kPieceBytes = std::size_t{64} << 10;
// Smaller files are hashed anew each time.
constexpr std::size_t kCachedBytes = std::size_t{64} << 20;
constexpr std::size_t kReadBytes = std::size_t{8} << 20;
constexpr std::chrono::seconds kTimeBetweenLines{10};

// A file that was written just now may still change within the same tick of its clock.
constexpr std::int64_t kSettledNanoseconds = 2'000'000'000;

// What changes with the content of a file.
struct FileState {
  std::uint64_t num_bytes, inode;
  std::int64_t modified_nanoseconds;

  bool operator==(const FileState&) const = default;
};

FileState state_of(const fs::path& file) {
  struct stat facts {};
  if (::stat(file.c_str(), &facts) != 0)
    throw UserError(fmt::format("cannot open '{}'", file.string()));
  return {static_cast<std::uint64_t>(facts.st_size), facts.st_ino,
          std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000 + facts.st_mtim.tv_nsec};
}

bool is_settled(const FileState& state) {
  const auto now = std::chrono::duration_cast<std::chrono::nanoseconds>(
      std::chrono::system_clock::now().time_since_epoch());
  return now.count() - state.modified_nanoseconds > kSettledNanoseconds;
}

fs::path cache_of_user() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value == nullptr ? "" : value);
  };
  if (const fs::path folder = variable("XDG_CACHE_HOME"); folder.is_absolute())
    return folder / "vllama/hashes.json";
  const fs::path home = variable("HOME");
  return home.is_absolute() ? home / ".cache/vllama/hashes.json" : fs::path();
}

// An object; empty if the file is absent or damaged.
Json read_cache(const fs::path& cache) {
  std::error_code error;
  if (cache.empty() || !fs::is_regular_file(cache, error)) return Json::object();
  Json entries = Json::parse(read_file(cache), nullptr, /*allow_exceptions=*/false);
  return entries.is_object() ? entries : Json::object();
}

std::optional<std::string> cached_hash(const Json& entries, const std::string& name,
                                       const FileState& state) {
  const auto entry = entries.find(name);
  const Json expected{
      {"bytes", state.num_bytes}, {"inode", state.inode}, {"modified", state.modified_nanoseconds}};
  if (entry == entries.end() || !entry->is_object() || !entry->contains("sha256") ||
      !entry->at("sha256").is_string())
    return std::nullopt;
  for (const auto& [key, value] : expected.items())
    if (!entry->contains(key) || entry->at(key) != value) return std::nullopt;
  return entry->at("sha256").get<std::string>();
}

// A cache that cannot be written costs time, not results.
void keep_hash(const fs::path& cache, const std::string& name, const FileState& state,
               const std::string& hash) {
  if (cache.empty() || !is_settled(state)) return;
  Json entries = read_cache(cache);
  entries[name] = {{"bytes", state.num_bytes},
                   {"inode", state.inode},
                   {"modified", state.modified_nanoseconds},
                   {"sha256", hash}};
  std::error_code error;
  fs::create_directories(cache.parent_path(), error);
  try {
    write_file_atomically(cache, entries.dump(1) + "\n");
  } catch (const RunFailure& failure) {
    log::warn("the hash of '{}' is not kept for the next time: {}", name, failure.what());
  }
}

std::string hash_of_all(const MappedFile& file) {
  const auto bytes = file.bytes();
  const auto percent = [&](std::size_t at) {
    return at * 100 / std::max<std::size_t>(1, bytes.size());
  };
  if (bytes.size() >= kCachedBytes)
    log::info("hashing '{}' ({:.1f} GB)", file.path().string(),
              static_cast<double>(bytes.size()) / 1e9);
  auto next_line = Clock::now() + kTimeBetweenLines;
  Sha256 hash;
  for (std::size_t at = 0; at < bytes.size(); at += kReadBytes) {
    hash.update(bytes.subspan(at, std::min(kReadBytes, bytes.size() - at)));
    file.release_pages(at, kReadBytes);
    if (Clock::now() < next_line) continue;
    next_line += kTimeBetweenLines;
    log::info("hashing '{}': {} %", file.path().string(), percent(at));
  }
  return hash.finish();
}

Sha256 begun_with_size(std::size_t num_bytes) {
  Sha256 hash;
  const std::string size = fmt::format("{} bytes\n", num_bytes);
  hash.update(std::as_bytes(std::span(size)));
  return hash;
}

}  // namespace

std::string piece_hash(const fs::path& path, std::size_t num_pieces) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  VLLAMA_ASSERT(num_pieces > 1 && bytes.size() > kPieceBytes, "a file of several pieces");
  Sha256 hash = begun_with_size(bytes.size());
  for (std::size_t i = 0; i < num_pieces; ++i) {
    const std::size_t at = (bytes.size() - kPieceBytes) / (num_pieces - 1) * i;
    hash.update(bytes.subspan(at, kPieceBytes));
  }
  hash.update(bytes.last(kPieceBytes));
  file->release_pages(0, bytes.size());
  return hash.finish();
}

std::string sample_hash(const fs::path& path) {
  const auto file = MappedFile::open(path);
  const auto bytes = file->bytes();
  if (bytes.size() > kWholeBytes) return piece_hash(path);
  Sha256 hash = begun_with_size(bytes.size());
  hash.update(bytes);
  file->release_pages(0, bytes.size());
  return hash.finish();
}

FileHasher::FileHasher() : FileHasher(cache_of_user()) {}

std::string FileHasher::sha256(const fs::path& path) const {
  const auto file = MappedFile::open(path);
  if (file->bytes().size() < kCachedBytes) return hash_of_all(*file);
  std::error_code error;
  const std::string name = fs::canonical(path, error).string();
  const FileState before = state_of(path);
  if (const auto known = cached_hash(read_cache(cache_), name, before)) return *known;
  const std::string hash = hash_of_all(*file);
  if (state_of(path) == before) keep_hash(cache_, name, before, hash);
  return hash;
}

}  // namespace vllama::inference

// Saves, verifies, finds and prunes the step folders of a run.
#include "checkpoint/step_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <nlohmann/json.hpp>

#include "checkpoint/checksum.h"
#include "checkpoint/readable.h"
#include "checkpoint/safetensors_reader.h"
#include "checkpoint/write.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"

namespace vllama::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step_";
constexpr std::string_view kPartialPrefix = ".step_";
constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::string_view kManifest = "manifest.json";
constexpr std::string_view kTensorExtension = ".safetensors";

std::string step_name(std::int64_t step) {
  return fmt::format("{}{:06}", kStepPrefix, step);
}

std::optional<std::int64_t> step_number(const std::string& folder) {
  if (!folder.starts_with(kStepPrefix)) return std::nullopt;
  std::int64_t step = 0;
  const char* end = folder.data() + folder.size();
  const auto [at, error] = std::from_chars(folder.data() + kStepPrefix.size(), end, step);
  if (error != std::errc() || at != end || folder != step_name(step)) return std::nullopt;
  return step;
}

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw RunFailure(fmt::format("cannot save the checkpoint '{}': {}", path.string(), reason));
}

void create_folder(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(folder, error.message());
}

void remove_quietly(const fs::path& folder) {
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) log::warn("cannot remove '{}': {}", folder.string(), error.message());
}

// A folder under a temporary name, removed unless it was moved into place.
class PartialFolder {
 public:
  explicit PartialFolder(const fs::path& final_path)
      : final_(final_path),
        path_(final_path.parent_path() /
              fmt::format(".{}{}", final_path.filename().string(), kPartialSuffix)) {
    create_folder(path_);
  }
  ~PartialFolder() {
    std::error_code error;
    if (fs::exists(path_, error)) remove_quietly(path_);
  }
  PartialFolder(const PartialFolder&) = delete;
  PartialFolder& operator=(const PartialFolder&) = delete;
  const fs::path& path() const { return path_; }

  // What stood under the final name has the temporary one afterwards and goes with this object.
  void move_into_place() {
    sync_to_disk(path_);
    if (::rename(path_.c_str(), final_.c_str()) != 0) {
      if (errno != ENOTEMPTY && errno != EEXIST) fail(final_, std::strerror(errno));
      if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, final_.c_str(), RENAME_EXCHANGE) != 0)
        replace_in_two_moves();
    }
    sync_to_disk(final_.parent_path());
  }

 private:
  // For file systems that cannot exchange two names. A crash in between loses only this step.
  void replace_in_two_moves() {
    const fs::path old = path_.string() + ".old" + std::string(kPartialSuffix);
    if (::rename(final_.c_str(), old.c_str()) != 0 || ::rename(path_.c_str(), final_.c_str()) != 0)
      fail(final_, std::strerror(errno));
    remove_quietly(old);
  }

  fs::path final_, path_;
};

void remove_leftovers(const fs::path& root) {
  for (const auto& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(kPartialPrefix) && name.ends_with(kPartialSuffix)) {
      log::info("removing '{}', left by an interrupted save", entry.path().string());
      remove_quietly(entry.path());
    }
  }
}

std::uint32_t file_checksum(const MappedFile& file) {
  constexpr std::size_t kPieceBytes = std::size_t{8} << 20;
  std::uint32_t checksum = 0;
  const std::span<const std::byte> bytes = file.bytes();
  for (std::size_t at = 0; at < bytes.size(); at += kPieceBytes) {
    const std::size_t num_bytes = std::min(kPieceBytes, bytes.size() - at);
    checksum = crc32(bytes.subspan(at, num_bytes), checksum);
    file.release_pages(at, num_bytes);
  }
  return checksum;
}

std::string checksum_text(const MappedFile& file) {
  return fmt::format("{:08x}", file_checksum(file));
}

nlohmann::json manifest_entry(const fs::path& path) {
  const auto file = MappedFile::open(path);
  return {{"bytes", file->bytes().size()}, {"crc32", checksum_text(*file)}};
}

void write_contents(const fs::path& folder, std::int64_t step, const StepContents& contents) {
  nlohmann::json manifest = {{"step", step}, {"files", nlohmann::json::object()}};
  const auto add_to_manifest = [&](const std::string& name) {
    manifest["files"][name] = manifest_entry(folder / name);
  };
  for (const auto& [stem, tensors] : contents.tensors) {
    const std::string name = stem + std::string(kTensorExtension);
    write_safetensors(folder / name, tensors);
    add_to_manifest(name);
  }
  for (const auto& [name, text] : contents.texts) {
    VLLAMA_ASSERT(name != kManifest && !name.ends_with(kTensorExtension),
                  "a text of a step has a name of its own");
    write_file_atomically(folder / name, text);
    add_to_manifest(name);
  }
  write_file_atomically(folder / kManifest, manifest.dump(2) + "\n");
}

// File name -> its entry, or an empty optional and the reason in `damage`.
std::optional<nlohmann::json> read_manifest(const fs::path& step, std::string& damage) {
  const fs::path path = step / kManifest;
  if (!fs::is_regular_file(path)) {
    damage = fmt::format("{} is missing", kManifest);
    return std::nullopt;
  }
  const nlohmann::json manifest = nlohmann::json::parse(read_file(path), nullptr, false);
  if (!manifest.is_object() || !manifest.contains("files") || !manifest["files"].is_object()) {
    damage = fmt::format("{} is damaged", kManifest);
    return std::nullopt;
  }
  return manifest["files"];
}

std::optional<std::string> file_damage(const fs::path& step, const std::string& name,
                                       const nlohmann::json& entry) {
  const std::string shown = readable(name);
  const bool is_sound = entry.is_object() && entry.contains("bytes") && entry.contains("crc32") &&
                        entry["bytes"].is_number_unsigned() && entry["crc32"].is_string();
  if (!is_sound || name.find('/') != std::string::npos)
    return fmt::format("{} has a damaged entry '{}'", kManifest, shown);
  const fs::path path = step / name;
  if (!fs::is_regular_file(path)) return fmt::format("{} is missing", shown);
  const auto file = MappedFile::open(path);
  const auto expected = entry["bytes"].get<std::uint64_t>();
  if (file->bytes().size() != expected)
    return fmt::format("{} has {} bytes instead of {}", shown, file->bytes().size(), expected);
  if (checksum_text(*file) != entry["crc32"].get<std::string>())
    return fmt::format("{} does not have the checksum it was saved with", shown);
  return std::nullopt;
}

}  // namespace

StepDirectory save_step(const fs::path& root, std::int64_t step, const StepContents& contents) {
  VLLAMA_ASSERT(step >= 0, "steps are counted from zero");
  create_folder(root);
  remove_leftovers(root);
  const fs::path path = root / step_name(step);
  PartialFolder partial(path);
  write_contents(partial.path(), step, contents);
  partial.move_into_place();
  return {step, path};
}

std::vector<StepDirectory> list_steps(const fs::path& root) {
  std::vector<StepDirectory> steps;
  std::error_code error;
  if (!fs::exists(root, error)) return steps;
  fs::directory_iterator entries(root, error);
  if (error)
    throw UserError(
        fmt::format("cannot list the checkpoints in '{}': {}", root.string(), error.message()));
  for (const auto& entry : entries) {
    const auto step = step_number(entry.path().filename().string());
    if (step && entry.is_directory()) steps.push_back({*step, entry.path()});
  }
  std::sort(steps.begin(), steps.end(), [](const StepDirectory& left, const StepDirectory& right) {
    return left.step < right.step;
  });
  return steps;
}

std::optional<std::string> step_damage(const fs::path& step) {
  try {
    std::string damage;
    const auto files = read_manifest(step, damage);
    if (!files) return damage;
    for (const auto& [name, entry] : files->items())
      if (auto found = file_damage(step, name, entry)) return found;
    return std::nullopt;
  } catch (const UserError& unreadable) {
    return unreadable.what();
  }
}

std::optional<StepDirectory> newest_complete_step(const fs::path& root) {
  const std::vector<StepDirectory> steps = list_steps(root);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    const auto damage = step_damage(step->path);
    if (!damage) return *step;
    log::warn("the checkpoint '{}' is damaged and is skipped: {}", step->path.string(), *damage);
  }
  return std::nullopt;
}

StepContents load_step(const fs::path& step) {
  if (const auto damage = step_damage(step))
    throw UserError(fmt::format("the checkpoint '{}' cannot be used: {}; use an earlier step",
                                step.string(), *damage));
  StepContents contents;
  std::string ignored;
  const auto files = read_manifest(step, ignored);
  for (const auto& [name, entry] : files->items()) {
    if (!name.ends_with(kTensorExtension)) {
      contents.texts.emplace(name, read_file(step / name));
      continue;
    }
    NamedTensors& tensors = contents.tensors[name.substr(0, name.size() - kTensorExtension.size())];
    for (const auto& [tensor_name, view] : read_safetensors(MappedFile::open(step / name)).tensors)
      tensors.emplace(tensor_name, to_tensor(view));
  }
  return contents;
}

void prune_steps(const fs::path& root, std::int64_t num_kept) {
  VLLAMA_ASSERT(num_kept >= 1, "at least one step is kept");
  const std::vector<StepDirectory> steps = list_steps(root);
  if (steps.size() <= static_cast<std::size_t>(num_kept)) return;
  const auto newest = newest_complete_step(root);
  for (std::size_t i = 0; i + static_cast<std::size_t>(num_kept) < steps.size(); ++i) {
    const fs::path& path = steps[i].path;
    if (newest && newest->step == steps[i].step) continue;
    // Under its temporary name a half-removed step is never taken for a damaged one.
    const fs::path partial = root / fmt::format(".{}{}", path.filename().string(), kPartialSuffix);
    std::error_code error;
    fs::rename(path, partial, error);
    remove_quietly(error ? path : partial);
  }
}

}  // namespace vllama::checkpoint

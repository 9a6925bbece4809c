// Saves, verifies, finds and removes the step folders of a run.
#include "checkpoint/step_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <stdio.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>

#include "checkpoint/manifest.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "weights/safetensors_reader.h"
#include "weights/values/readable.h"
#include "weights/write.h"

namespace vllama::checkpoint {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kStepPrefix = "step_";
constexpr std::string_view kHiddenPrefix = ".step_";
constexpr std::string_view kPartialSuffix = ".partial";
constexpr std::string_view kReplacedSuffix = ".replaced";
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

std::string folder_name(const fs::path& path) {
  return (path.has_filename() ? path : path.parent_path()).filename().string();
}

fs::path hidden(const fs::path& step, std::string_view suffix) {
  return step.parent_path() / fmt::format(".{}{}", step.filename().string(), suffix);
}

// Names below a folder; throws UserError if it cannot be listed.
std::vector<fs::path> entries_of(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> paths;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error))
    paths.push_back(entry->path());
  if (error) throw UserError(fmt::format("cannot list '{}': {}", folder.string(), error.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

[[noreturn]] void fail(const char* what, const fs::path& path, const std::string& reason) {
  throw RunFailure(fmt::format("cannot {} '{}': {}", what, path.string(), reason));
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
      : final_(final_path), path_(hidden(final_path, kPartialSuffix)) {
    std::error_code error;
    const bool is_new = fs::create_directory(path_, error);
    if (!is_new) fail("create the folder", path_, error ? error.message() : "it exists");
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
      if (errno != ENOTEMPTY && errno != EEXIST) fail("create", final_, std::strerror(errno));
      if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, final_.c_str(), RENAME_EXCHANGE) != 0)
        replace_in_two_moves();
    }
    sync_to_disk(final_.parent_path());
  }

 private:
  // For file systems that cannot exchange two names. remove_leftovers() puts the old folder back
  // after a crash in between.
  void replace_in_two_moves() {
    const fs::path old = hidden(final_, kReplacedSuffix);
    if (::rename(final_.c_str(), old.c_str()) != 0) fail("replace", final_, std::strerror(errno));
    if (::rename(path_.c_str(), final_.c_str()) != 0) {
      const std::string reason = std::strerror(errno);
      ::rename(old.c_str(), final_.c_str());
      fail("replace", final_, reason);
    }
    sync_to_disk(final_.parent_path());
    remove_quietly(old);
  }

  fs::path final_, path_;
};

void put_back_or_remove(const fs::path& replaced) {
  const std::string name = replaced.filename().string();
  const fs::path original =
      replaced.parent_path() / name.substr(1, name.size() - 1 - kReplacedSuffix.size());
  std::error_code error;
  if (!fs::exists(original, error) && ::rename(replaced.c_str(), original.c_str()) == 0) {
    log::warn("'{}' was about to be replaced when the program ended; it is back in its place",
              original.string());
    return;
  }
  remove_quietly(replaced);
}

void write_contents(const fs::path& folder, std::int64_t step, const StepContents& contents) {
  Manifest manifest{step, {}};
  const auto add_to_manifest = [&](const std::string& name) {
    VLLAMA_ASSERT(is_file_of_a_step(name), "a file of a step has a plain name of its own");
    manifest.files[name] = facts_of(*MappedFile::open(folder / name));
  };
  for (const auto& [stem, tensors] : contents.tensors) {
    const std::string name = stem + std::string(kTensorExtension);
    weights::write_safetensors(folder / name, tensors);
    add_to_manifest(name);
  }
  for (const auto& [name, text] : contents.texts) {
    VLLAMA_ASSERT(!name.ends_with(kTensorExtension), "a text of a step is no file of tensors");
    write_file_atomically(folder / name, text);
    add_to_manifest(name);
  }
  write_file_atomically(folder / kManifestName, manifest_text(manifest));
}

// Throws UserError that names no folder, as do the functions below.
Manifest read_manifest(const fs::path& step) {
  const fs::path path = step / kManifestName;
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    throw UserError(fmt::format("{} is missing", kManifestName));
  Manifest manifest = parse_manifest(MappedFile::open(path)->text());
  const auto number = step_number(folder_name(step));
  if (number && *number != manifest.step)
    throw UserError(fmt::format("{} is of step {}", kManifestName, manifest.step));
  return manifest;
}

std::shared_ptr<const MappedFile> open_verified(const fs::path& step, const std::string& name,
                                                const FileFacts& expected) {
  std::error_code error;
  if (!fs::is_regular_file(step / name, error))
    throw UserError(fmt::format("{} is missing", weights::readable(name)));
  auto file = MappedFile::open(step / name);
  if (file->bytes().size() != expected.num_bytes)
    throw UserError(fmt::format("{} has {} bytes instead of {}", weights::readable(name),
                                file->bytes().size(), expected.num_bytes));
  if (facts_of(*file) != expected)
    throw UserError(
        fmt::format("{} does not have the checksum it was saved with", weights::readable(name)));
  return file;
}

void read_file_of_step(const fs::path& step, const std::string& name, const FileFacts& facts,
                       StepContents& contents) {
  const auto file = open_verified(step, name, facts);
  if (!name.ends_with(kTensorExtension)) {
    contents.texts.emplace(name, file->text());
    return;
  }
  const std::string stem = name.substr(0, name.size() - kTensorExtension.size());
  weights::NamedTensors& tensors = contents.tensors[stem];
  for (const auto& [tensor_name, view] : weights::read_safetensors(file).tensors)
    tensors.emplace(tensor_name, weights::to_tensor(view));
}

LoadedStep read_step(const fs::path& step) {
  const Manifest manifest = read_manifest(step);
  LoadedStep loaded{{manifest.step, step}, {}};
  for (const auto& [name, facts] : manifest.files)
    read_file_of_step(step, name, facts, loaded.contents);
  return loaded;
}

StepContents read_files(const fs::path& step, const std::vector<std::string>& names) {
  const Manifest manifest = read_manifest(step);
  StepContents contents;
  for (const std::string& name : names) {
    const auto entry = manifest.files.find(name);
    if (entry == manifest.files.end()) throw UserError(fmt::format("it has no {}", name));
    read_file_of_step(step, name, entry->second, contents);
  }
  return contents;
}

void warn_of_unnamed_files(const fs::path& step) {
  for (const std::string& name : unnamed_files(step))
    log::warn("'{}' in the checkpoint '{}' is not part of it and is not read",
              weights::readable(name), step.string());
}

[[noreturn]] void fail_to_use(const fs::path& step, const std::string& damage) {
  throw UserError(fmt::format("the checkpoint '{}' cannot be used: {}; use an earlier step",
                              step.string(), damage));
}

}  // namespace

StepDirectory save_step(const fs::path& root, std::int64_t step, const StepContents& contents) {
  VLLAMA_ASSERT(step >= 0, "steps are counted from zero");
  std::error_code error;
  fs::create_directories(root, error);
  if (error) fail("create the folder", root, error.message());
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
  for (const fs::path& path : entries_of(root)) {
    const auto step = step_number(path.filename().string());
    if (step && fs::is_directory(path, error)) steps.push_back({*step, path});
  }
  std::sort(steps.begin(), steps.end(), [](const StepDirectory& left, const StepDirectory& right) {
    return left.step < right.step;
  });
  return steps;
}

std::optional<std::string> step_damage(const fs::path& step) {
  try {
    read_step(step);
    return std::nullopt;
  } catch (const UserError& damage) {
    return damage.what();
  }
}

std::vector<std::string> unnamed_files(const fs::path& step) {
  const Manifest manifest = read_manifest(step);
  std::vector<std::string> names;
  for (const fs::path& path : entries_of(step)) {
    const std::string name = path.filename().string();
    if (name != kManifestName && !manifest.files.contains(name)) names.push_back(name);
  }
  return names;
}

LoadedStep load_step(const fs::path& step) {
  try {
    LoadedStep loaded = read_step(step);
    warn_of_unnamed_files(step);
    return loaded;
  } catch (const UserError& damage) {
    fail_to_use(step, damage.what());
  }
}

StepContents load_step_files(const fs::path& step, const std::vector<std::string>& names) {
  try {
    return read_files(step, names);
  } catch (const UserError& damage) {
    fail_to_use(step, damage.what());
  }
}

std::optional<std::string> damage_of_files(const fs::path& step,
                                           const std::vector<std::string>& names) {
  try {
    read_files(step, names);
    return std::nullopt;
  } catch (const UserError& damage) {
    return damage.what();
  }
}

std::optional<LoadedStep> load_newest_step(const fs::path& root) {
  const std::vector<StepDirectory> steps = list_steps(root);
  for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
    try {
      LoadedStep loaded = read_step(step->path);
      warn_of_unnamed_files(step->path);
      return loaded;
    } catch (const UserError& damage) {
      log::warn("the checkpoint '{}' is damaged and is skipped: {}", step->path.string(),
                damage.what());
    }
  }
  return std::nullopt;
}

std::optional<std::string> read_step_text(const fs::path& step, const std::string& name) {
  try {
    const Manifest manifest = read_manifest(step);
    const auto entry = manifest.files.find(name);
    if (entry == manifest.files.end()) return std::nullopt;
    return std::string(open_verified(step, name, entry->second)->text());
  } catch (const UserError&) {
    return std::nullopt;
  }
}

void remove_steps(const fs::path& root, const std::vector<StepDirectory>& steps) {
  std::vector<fs::path> renamed;
  for (const StepDirectory& step : steps) {
    const fs::path temporary = hidden(step.path, kPartialSuffix);
    if (::rename(step.path.c_str(), temporary.c_str()) == 0)
      renamed.push_back(temporary);
    else
      log::warn("cannot remove the checkpoint '{}': {}", step.path.string(), std::strerror(errno));
  }
  if (renamed.empty()) return;
  sync_to_disk(root);
  for (const fs::path& path : renamed) remove_quietly(path);
}

void remove_leftovers(const fs::path& root) {
  std::error_code error;
  if (!fs::is_directory(root, error)) return;
  for (const fs::path& path : entries_of(root)) {
    const std::string name = path.filename().string();
    if (!name.starts_with(kHiddenPrefix)) continue;
    if (name.ends_with(kReplacedSuffix)) put_back_or_remove(path);
    if (!name.ends_with(kPartialSuffix)) continue;
    log::info("removing '{}', left by an interrupted save", path.string());
    remove_quietly(path);
  }
}

}  // namespace vllama::checkpoint

#include "train/provenance/provenance_changes.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "checkpoint/step_directory.h"
#include "core/log.h"
#include "core/terminal_text.h"
#include "train/run/find_step.h"

namespace vllama::train {
namespace {

constexpr std::size_t kShownDigits = 12;
// Of a data set in thousands of files.
constexpr std::size_t kMaxNamed = 8;

std::string hash_text(const InputFile& file) {
  return fmt::format("{} {}...", file.cover == HashCover::all ? "SHA-256" : "SHA-256 of pieces",
                     visible(file.hash.substr(0, kShownDigits)));
}

// A record may say anything; years have four digits.
std::string time_text(std::int64_t seconds) {
  constexpr std::int64_t kEndOfYear9999 = 253'402'300'799;
  const auto time = static_cast<std::time_t>(std::clamp<std::int64_t>(seconds, 0, kEndOfYear9999));
  return fmt::format("{:%Y-%m-%d %H:%M:%S} UTC", fmt::gmtime(time));
}

std::string place_text(const InputFile& then, const InputFile& now) {
  const std::string place = visible(now.path.string()), before = visible(then.path.string());
  return place == before ? fmt::format("'{}'", place)
                         : fmt::format("'{}' (then '{}')", place, before);
}

// Hashes of pieces compare only where as many files share what may be read.
void compare(const InputFile& then, const InputFile& now, bool as_many, InputChanges& changes) {
  const std::string place = fmt::format("{}: {}", now.what, place_text(then, now));
  if (then.num_bytes != now.num_bytes) {
    changes.certain.push_back(
        fmt::format("{} has {} bytes now, {} then", place, now.num_bytes, then.num_bytes));
  } else if (then.cover == now.cover && then.hash != now.hash &&
             (as_many || now.cover == HashCover::all)) {
    changes.certain.push_back(fmt::format("{} has other content of the same size: {} now, {} then",
                                          place, hash_text(now), hash_text(then)));
  } else if (now.cover != HashCover::all && then.path == now.path &&
             then.modified_seconds != now.modified_seconds) {
    changes.possible.push_back(
        fmt::format("{} was written at {}, then at {}; {}", place, time_text(now.modified_seconds),
                    time_text(then.modified_seconds),
                    now.cover == HashCover::none ? "its size is as it was"
                                                 : "its size, and pieces of it, are as they were"));
  }
}

// Files of one thing, told apart by their names where there are several.
void compare_group(const std::vector<InputFile>& then, const std::vector<InputFile>& now,
                   InputChanges& changes) {
  const bool as_many = then.size() == now.size();
  if (as_many && now.size() == 1) return compare(then.front(), now.front(), as_many, changes);
  const auto name_of = [](const InputFile& file) { return file.path.filename(); };
  for (const InputFile& file : now) {
    const auto before = std::ranges::find(then, name_of(file), name_of);
    if (before == then.end())
      changes.certain.push_back(fmt::format("{}: {} is new", file.what, described(file)));
    else
      compare(*before, file, as_many, changes);
  }
  for (const InputFile& file : then)
    if (std::ranges::find(now, name_of(file), name_of) == now.end())
      changes.certain.push_back(fmt::format("{}: {} is gone", file.what, described(file)));
}

std::vector<InputFile> of(const std::string& what, const std::vector<InputFile>& files) {
  std::vector<InputFile> chosen;
  std::ranges::copy_if(files, std::back_inserter(chosen),
                       [&](const InputFile& file) { return file.what == what; });
  return chosen;
}

// By entry; those that only one of the two could open are dropped there, not exchanged.
void compare_media(const InputData& then, const InputData& now, InputChanges& changes) {
  for (const InputFile& file : now.media) {
    const auto before = std::ranges::find(then.media, file.what, &InputFile::what);
    if (before != then.media.end()) compare(*before, file, /*as_many=*/true, changes);
  }
}

void compare_set(const InputData& then, const InputData& now, InputChanges& changes) {
  InputChanges of_files;
  compare_group(then.files, now.files, of_files);
  if (then.num_entries != now.num_entries || then.num_invalid != now.num_invalid)
    of_files.certain.push_back(fmt::format(
        "data set '{}': {} entries and {} invalid ones now, {} and {} then{}", now.name,
        now.num_entries, now.num_invalid, then.num_entries, then.num_invalid,
        of_files.certain.empty() ? ", of the same files: the reader takes others for valid" : ""));
  // Of other entries the media are others.
  if (of_files.certain.empty()) compare_media(then, now, of_files);
  for (auto* lines : {&of_files.certain, &of_files.possible})
    if (const std::size_t number = lines->size(); number > kMaxNamed) {
      lines->resize(kMaxNamed);
      lines->push_back(fmt::format("data set '{}': and {} more", now.name, number - kMaxNamed));
    }
  changes.certain.insert(changes.certain.end(), of_files.certain.begin(), of_files.certain.end());
  changes.possible.insert(changes.possible.end(), of_files.possible.begin(),
                          of_files.possible.end());
}

}  // namespace

std::optional<Provenance> recorded_of(const std::filesystem::path& step) {
  auto provenance = provenance_of_step(step);
  if (!provenance)
    log::info("'{}' was saved without {}: whether its files are those of its training is not known",
              step.string(), kProvenanceFile);
  return provenance;
}

std::string described(const InputFile& file) {
  const std::string hash = file.hash.empty() ? "" : fmt::format(", {}", hash_text(file));
  return fmt::format("'{}' ({} bytes{})", visible(file.path.string()), file.num_bytes, hash);
}

std::string missing_weights_text(const std::filesystem::path& checkpoint,
                                 const std::vector<std::string>& missing) {
  return fmt::format(
      "the checkpoint '{}' needs weights that are not there:\n  {}\nput them back, or "
      "say where they are with --set KEY=PATH",
      checkpoint.string(), fmt::join(missing, "\n  "));
}

void add_weight_changes(const std::vector<InputFile>& then, const std::vector<InputFile>& now,
                        InputChanges& changes) {
  std::vector<std::string> named;
  for (const auto* files : {&then, &now})
    for (const InputFile& file : *files)
      if (std::ranges::find(named, file.what) == named.end()) named.push_back(file.what);
  for (const std::string& what : named) compare_group(of(what, then), of(what, now), changes);
}

void add_data_changes(const std::vector<InputData>& then, const std::vector<InputData>& now,
                      InputChanges& changes) {
  for (const InputData& set : now) {
    const auto before = std::ranges::find(then, set.name, &InputData::name);
    if (before != then.end()) compare_set(*before, set, changes);
  }
}

InputChanges changes_between(const Provenance& then, const Provenance& now) {
  InputChanges changes;
  add_weight_changes(then.weights, now.weights, changes);
  add_weight_changes(then.texts, now.texts, changes);
  add_data_changes(then.data, now.data, changes);
  return changes;
}

void warn_of_changed_data(const RunConfig& config, const datasets::Mixture& data) {
  const auto steps =
      checkpoint::list_steps(std::filesystem::path(config.output_dir) / kCheckpoints);
  if (steps.empty()) return;
  const auto then = recorded_of(steps.back().path);
  if (!then) return;
  InputChanges changes;
  add_data_changes(then->data, data_files(config.data, data), changes);
  warn_of(changes, steps.back().path);
}

void warn_of_changed_weights(const models::ModelConfig& config, const std::filesystem::path& step) {
  const auto then = recorded_of(step);
  if (!then) return;
  InputChanges changes;
  add_weight_changes(then->weights, weight_files(config), changes);
  warn_of(changes, step);
}

std::string changes_text(const InputChanges& changes, const std::filesystem::path& checkpoint) {
  std::vector<std::string> lines = changes.certain;
  lines.insert(lines.end(), changes.possible.begin(), changes.possible.end());
  return fmt::format("not as the checkpoint '{}' was trained on:\n  {}", checkpoint.string(),
                     fmt::join(lines, "\n  "));
}

void warn_of(const InputChanges& changes, const std::filesystem::path& checkpoint) {
  if (!changes.empty()) log::warn("{}", changes_text(changes, checkpoint));
}

}  // namespace vllama::train

#include "datasets/data_rules.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <set>

#include "core/error.h"
#include "datasets/shards.h"

namespace vllama::datasets {
namespace {

namespace fs = std::filesystem;

bool takes_counts(const DataConfig& data) {
  return std::ranges::any_of(data.sets, [](const auto& set) { return set.num_samples > 0; });
}

void add_count_rules(const DataConfig& data, const RunSize& run, std::vector<std::string>& broken) {
  std::int64_t sum = 0;
  for (const DatasetConfig& set : data.sets) {
    sum += set.num_samples;
    if (set.num_samples == 0)
      broken.push_back(
          fmt::format("data set '{}' has no num_samples but others have: give it to all data sets, "
                      "or weights to all",
                      set.name));
    else if (set.weight != DatasetConfig().weight)
      broken.push_back(
          fmt::format("data set '{}' has both weight and num_samples; leave one out", set.name));
  }
  if (broken.empty() && std::abs(sum - run.num_samples()) >= run.samples_per_step)
    broken.push_back(
        fmt::format("num_samples of the data sets add up to {}, but the run takes {} ({} steps of "
                    "{}): change the numbers or the length of the run",
                    sum, run.num_samples(), run.num_steps, run.samples_per_step));
}

void add_position_rules(const DatasetConfig& set, const DataConfig& data, const ModelInput& model,
                        std::vector<std::string>& broken) {
  const BranchInput& of_frames = model.vision ? *model.vision : *model.audio;
  if (set.inputs != "sound" && set.num_frames > of_frames.max_positions)
    broken.push_back(fmt::format(
        "data set '{}' takes {} frames, more than {} = {}; with {}: interpolated clips may be of "
        "any length",
        set.name, set.num_frames,
        model.vision ? "model.vision.max_frame_positions" : "model.audio.max_positions",
        of_frames.max_positions,
        model.vision ? "model.vision.frame_positions" : "model.audio.positions"));
  if (model.audio && data.sound.num_clips > model.audio->max_positions)
    broken.push_back(
        fmt::format("data.sound.num_clips = {} is more than model.audio.max_positions = {}; with "
                    "model.audio.positions: interpolated any number may be taken",
                    data.sound.num_clips, model.audio->max_positions));
}

}  // namespace

std::vector<std::string> broken_format_rules(const DatasetConfig& set) {
  std::vector<std::string> broken;
  if (!set.image_prefix.empty() && set.format != "llava_instruct")
    broken.push_back(
        fmt::format("data set '{}': image_prefix is for the format llava_instruct", set.name));
  if (set.media_root.empty() != (set.format == "webdataset"))
    broken.push_back(fmt::format("data set '{}': {}", set.name,
                                 set.media_root.empty()
                                     ? "media_root is missing"
                                     : "media_root must be left out, the media are in the shards"));
  return broken;
}

std::vector<std::string> broken_media_rules(const DatasetConfig& set, const DataConfig& data,
                                            const ModelInput& model) {
  std::vector<std::string> broken;
  if (set.min_crop_scale > set.max_crop_scale)
    broken.push_back(fmt::format("data set '{}': min_crop_scale {} is above max_crop_scale {}",
                                 set.name, set.min_crop_scale, set.max_crop_scale));
  const bool wants_sound = set.inputs == "sound" || set.inputs == "frames_and_sound";
  if (wants_sound && !model.audio)
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with an audio branch",
                                 set.name, set.inputs));
  else if (set.inputs == "frames_and_sound" && !model.vision)
    broken.push_back(fmt::format("data set '{}': inputs: {} needs a model with both branches",
                                 set.name, set.inputs));
  add_position_rules(set, data, model, broken);
  return broken;
}

std::vector<std::string> broken_name_rules(const DataConfig& data) {
  std::vector<std::string> broken;
  if (data.sets.empty()) broken.push_back("data.sets: the list of data sets is empty");
  std::set<std::string> names;
  for (const DatasetConfig& set : data.sets)
    if (!names.insert(set.name).second)
      broken.push_back(
          fmt::format("data.sets: two data sets are called '{}'; rename one", set.name));
  return broken;
}

std::vector<std::string> broken_mixing_rules(const DataConfig& data, const RunSize& run) {
  std::vector<std::string> broken;
  if (takes_counts(data))
    add_count_rules(data, run, broken);
  else if (!data.sets.empty() &&
           std::ranges::none_of(data.sets, [](const auto& set) { return set.weight > 0; }))
    broken.push_back("at least one data set needs a weight above 0");
  return broken;
}

std::vector<std::string> broken_root_rules(const DatasetConfig& set) {
  std::error_code ignored;
  const std::string& root = set.media_root;
  if (root.empty() || names_shards(root) || fs::is_directory(root, ignored)) return {};
  return {fmt::format(
      "data set '{}': media_root '{}' {}; name the folder that the paths in '{}' begin in",
      set.name, root, fs::exists(root, ignored) ? "is no folder" : "does not exist",
      set.annotations)};
}

void require_none(const std::vector<std::string>& broken) {
  if (broken.empty()) return;
  if (broken.size() == 1) throw UserError(broken.front());
  std::string text = fmt::format("{} things must be changed:", broken.size());
  for (std::size_t i = 0; i < broken.size(); ++i) text += fmt::format("\n{}. {}", i + 1, broken[i]);
  throw UserError(text);
}

}  // namespace vllama::datasets

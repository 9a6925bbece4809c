#include "train/run/config_change.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>

#include "train/run/recorded_config.h"

namespace vllama::train {
namespace {

// Sections and keys that change how a run goes, but not what it computes.
constexpr auto kHarmless = std::to_array<std::string_view>(
    {"output_dir", "device", "num_threads", "model.recompute_layers", "model.loss_rows_at_once",
     "model.feature_memory_bytes", "model.vision.frames_at_once", "model.audio.inputs_at_once",
     "data.loader", "data.index_folder", "data.max_broken_share", "data.video.time_limit_seconds",
     "data.video.packet_memory_bytes", "checkpoints", "eval", "training.micro_batch_size",
     "distributed", "training.steps_per_log_line", "training.max_bad_steps"});

bool is_harmless(const std::string& key) {
  return std::ranges::any_of(kHarmless, [&key](std::string_view harmless) {
    return key == harmless || key.starts_with(std::string(harmless) + ".");
  });
}

void add_values(const config::Tree& tree, const std::string& key, ConfigValues& values) {
  const std::string prefix = key.empty() ? "" : key + ".";
  for (const auto& [name, child] : tree.entries) add_values(child, prefix + name, values);
  for (std::size_t i = 0; i < tree.items.size(); ++i)
    add_values(tree.items[i], prefix + std::to_string(i), values);
  if (tree.entries.empty() && tree.items.empty()) values[key] = tree.scalar;
}

// Those that change what is computed. Paths are absolute, or left out.
ConfigValues values_of_training(RunConfig config, bool with_paths) {
  config = with_absolute_paths(std::move(config));
  if (!with_paths)
    config::change_paths(config, [](const std::string&, const std::string&) { return ""; });
  TrainingConfig& training = config.training;
  if (!training.skip_spikes) training.spike_z_score = 0;  // what is only reported changes nothing
  ConfigValues values = config_values(config);
  std::erase_if(values, [](const auto& entry) { return is_harmless(entry.first); });
  return values;
}

}  // namespace

ConfigValues config_values(const RunConfig& config) {
  ConfigValues values;
  add_values(config::load_text(config::dump(config), "configuration"), "", values);
  return values;
}

std::vector<std::string> training_changes(const std::string& saved, const RunConfig& current,
                                          bool content_is_known) {
  const ConfigValues before = values_of_training(
      config::read<RunConfig>(config::load_text(saved, "the checkpoint's config.yaml")),
      !content_is_known);
  const ConfigValues now = values_of_training(current, !content_is_known);
  std::set<std::string> keys;
  for (const auto& values : {before, now})
    for (const auto& [key, value] : values) keys.insert(key);
  const auto text = [](const ConfigValues& values, const std::string& key) {
    const auto found = values.find(key);
    return found == values.end() ? std::string("absent") : fmt::format("'{}'", found->second);
  };
  std::vector<std::string> changes;
  for (const std::string& key : keys)
    if (text(before, key) != text(now, key))
      changes.push_back(
          fmt::format("{}: {} in the checkpoint, {} now", key, text(before, key), text(now, key)));
  return changes;
}

}  // namespace vllama::train

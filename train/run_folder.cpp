#include "train/run_folder.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kState = "state.json";

SpikeDetector::RecentLosses read_losses(const Json& state) {
  const auto problem = [] {
    return UserError(fmt::format(
        "'recent_losses' in the checkpoint's {} is not up to {} finite numbers per data set",
        kState, SpikeDetector::kMemory));
  };
  SpikeDetector::RecentLosses all;
  if (!state.contains("recent_losses")) return all;  // saved before there were any
  if (!state.at("recent_losses").is_object()) throw problem();
  for (const auto& [kind, losses] : state.at("recent_losses").items()) {
    if (!losses.is_array() || losses.size() > SpikeDetector::kMemory) throw problem();
    for (const Json& loss : losses) {
      if (!loss.is_number() || !std::isfinite(loss.get<double>())) throw problem();
      all[kind].push_back(loss);
    }
  }
  return all;
}

}  // namespace

RunFolder::RunFolder(std::filesystem::path path) : path_(std::move(path)) {
  std::error_code problem;
  std::filesystem::create_directories(path_, problem);
  if (problem)
    throw UserError(
        fmt::format("output_dir '{}' cannot be created: {}", path_.string(), problem.message()));
  try {
    write_file_atomically(path_ / ".writable", "");
    std::filesystem::remove(path_ / ".writable");
  } catch (const RunFailure& failure) {
    throw UserError(
        fmt::format("output_dir '{}' is not writable: {}", path_.string(), failure.what()));
  }
}

std::optional<checkpoint::StepDirectory> RunFolder::find_checkpoint(
    const std::string& resume) const {
  if (resume == "auto") return checkpoint::newest_complete_step(checkpoints());
  if (resume == "never") {
    if (!checkpoint::list_steps(checkpoints()).empty())
      throw UserError(
          fmt::format("'{}' already holds checkpoints; with --resume never choose "
                      "another output_dir, or remove them",
                      path_.string()));
    return std::nullopt;
  }
  if (const auto damage = checkpoint::step_damage(resume))
    throw UserError(fmt::format("--resume {}: {}", resume, *damage));
  return checkpoint::StepDirectory{0, resume};
}

void RunFolder::save(const RunConfig& config, const RunProgress& progress,
                     std::map<std::string, checkpoint::NamedTensors> tensors) const {
  const Json state{{"step", progress.num_steps_done},
                   {"samples", progress.num_samples},
                   {"dropped", progress.num_dropped},
                   {"skipped_in_a_row", progress.health.num_skipped_in_a_row},
                   {"recent_losses", progress.health.recent_losses}};
  checkpoint::save_step(
      checkpoints(), progress.num_steps_done,
      {.tensors = std::move(tensors),
       .texts = {{kState, state.dump(2) + "\n"}, {"config.yaml", config::dump(config)}}});
  checkpoint::prune_steps(checkpoints(), config.training.num_checkpoints_kept);
}

RunProgress read_progress(const checkpoint::StepContents& contents) {
  const auto text = contents.texts.find(kState);
  const Json state = text == contents.texts.end()
                         ? Json()
                         : Json::parse(text->second, nullptr, /*allow_exceptions=*/false);
  for (const char* key : {"step", "samples", "dropped"})
    if (!state.is_object() || !state.contains(key) || !state.at(key).is_number_integer())
      throw UserError(fmt::format("the checkpoint's {} does not say '{}'", kState, key));
  const Json skipped = state.value("skipped_in_a_row", Json(0));
  if (!skipped.is_number_integer())
    throw UserError(fmt::format("'skipped_in_a_row' in the checkpoint's {} is no number", kState));
  return {.num_steps_done = state.at("step"),
          .num_samples = state.at("samples"),
          .num_dropped = state.at("dropped"),
          .health = {skipped, read_losses(state)}};
}

}  // namespace vllama::train

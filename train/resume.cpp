#include "train/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <sstream>

#include "core/broken_rules.h"
#include "core/error.h"
#include "core/log.h"
#include "models/load_video_llama.h"
#include "train/provenance/provenance_changes.h"
#include "train/provenance/starting_points.h"
#include "train/run/find_step.h"
#include "train/run/recorded_config.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

// A step that a run starts from has been trained on base weights too.
void warn_of_other_base(const Provenance& now) {
  for (const InputFile& file : now.weights) {
    const fs::path step = file.path.parent_path();
    if (file.path.filename() != kTrainedFile) continue;
    auto then = provenance_of_step(step);
    if (!then) continue;
    const auto is_common = [](const InputFile& candidate, const std::vector<InputFile>& others) {
      return candidate.what != "model.weights.saved_step" &&
             std::ranges::find(others, candidate.what, &InputFile::what) != others.end();
    };
    std::vector<InputFile> base = now.weights;
    std::erase_if(base,
                  [&](const auto& candidate) { return !is_common(candidate, then->weights); });
    std::erase_if(then->weights,
                  [&](const auto& candidate) { return !is_common(candidate, base); });
    InputChanges changes;
    add_weight_changes(then->weights, base, changes);
    warn_of(changes, step);
  }
}

models::ModelConfig without(models::ModelConfig model, const std::vector<std::string>& left_out) {
  model.weights = without_starting_points(std::move(model.weights), left_out);
  return model;
}

// Whether nothing is left to train. Throws UserError if the run may not go on.
bool judge(const RunStart& start, const RunConfig& config,
           const language::LlamaConfig& language_model, const TrainOptions& options,
           const Provenance& now) {
  models::VideoLlama model(config.model, language_model);  // its sizes; no tensor is made
  const ResumeVerdict verdict = judge_resume(start, config, now, &model, options.accept_changes);
  for (const std::string& warning : verdict.warnings) log::warn("{}", warning);
  if (!verdict.refusal.empty()) throw UserError(verdict.refusal);
  return options.resume == "auto" && verdict.is_unchanged &&
         start.progress.num_steps_done >= config.training.num_steps();
}

}  // namespace

Beginning find_beginning(const RunFolder& folder, const RunConfig& config,
                         const language::LlamaConfig& language_model, const TrainOptions& options,
                         const datasets::Mixture& data, distributed::Communicator& ranks) {
  Beginning beginning{.model = config.model};
  const std::string found = ranks.decided_by_first(
      [&] {
        RunStart& start = beginning.start;
        start = find_start(folder, config, options.resume);
        require_none(models::check_weights(without(config.model, start.left_out)));
        const Provenance now = present_inputs(start, config, data_files(config.data, data));
        beginning.texts = {{kConfigFile, config::dump(with_absolute_paths(config))},
                           {kProvenanceFile, provenance_text(now)}};
        if (!start.checkpoint) warn_of_other_base(now);
        const bool nothing_is_left =
            start.checkpoint && judge(start, config, language_model, options, now);
        return fmt::format("{} {}", nothing_is_left ? "done" : "open",
                           fmt::join(start.left_out, " "));
      },
      "looking for where the run begins");
  std::istringstream words(found);
  std::string state;
  words >> state;
  beginning.nothing_is_left = state == "done";
  beginning.model = without(config.model, {std::istream_iterator<std::string>(words), {}});
  return beginning;
}

RunProgress resume(RunStart start, Trainer& trainer, distributed::Communicator& ranks) {
  const std::string state = ranks.decided_by_first(
      [&] {
        if (!start.checkpoint) return std::string();
        const checkpoint::LoadedStep& step = *start.checkpoint;
        trainer.load_state(step.contents.tensors);
        log::info("resumed from '{}' after {} steps", step.directory.path.string(),
                  start.progress.num_steps_done);
        return step.contents.texts.at(kStateFile);
      },
      "resuming");
  if (state.empty()) return {};
  trainer.copy_state_of_first();
  return read_progress({.tensors = {}, .texts = {{kStateFile, state}}});
}

}  // namespace vllama::train

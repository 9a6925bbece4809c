#include "train/resume.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "core/error.h"
#include "core/log.h"
#include "train/config_change.h"

namespace vllama::train {
namespace {

void check_changes(const checkpoint::StepContents& contents, const std::string& path,
                   const RunConfig& config, bool accept) {
  const auto saved = contents.texts.find("config.yaml");
  if (saved == contents.texts.end())
    throw UserError(fmt::format("the checkpoint '{}' has no config.yaml", path));
  const auto changes = training_changes(saved->second, config);
  if (changes.empty()) return;
  const std::string list = fmt::format("\n  {}", fmt::join(changes, "\n  "));
  if (!accept)
    throw UserError(
        fmt::format("the configuration trains something else than the checkpoint '{}' "
                    "did:{}\nput it back, choose another output_dir, or resume with "
                    "--accept-changes",
                    path, list));
  log::warn("resuming '{}' with another configuration:{}", path, list);
}

}  // namespace

RunProgress resume(const RunFolder& folder, const RunConfig& config, const TrainOptions& options,
                   Trainer& trainer, distributed::Communicator& ranks) {
  const std::string state = ranks.decided_by_first(
      [&] {
        const auto found = folder.load_checkpoint(options.resume);
        if (!found) return std::string();
        const auto& [directory, contents] = *found;
        check_changes(contents, directory.path.string(), config, options.accept_changes);
        const RunProgress progress = read_progress(contents);
        trainer.load_state(contents.tensors);
        log::info("resumed from '{}' after {} steps", directory.path.string(),
                  progress.num_steps_done);
        return contents.texts.at(kStateFile);
      },
      "resuming");
  if (state.empty()) return {};
  trainer.copy_state_of_first();
  return read_progress({.tensors = {}, .texts = {{kStateFile, state}}});
}

}  // namespace vllama::train

#include "train/train.h"

#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include <iostream>
#include <optional>

#include "core/broken_rules.h"
#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/signal_thread.h"
#include "datasets/loading/mixture.h"
#include "distributed/agreement.h"
#include "distributed/device.h"
#include "models/file_sizes.h"
#include "models/load_video_llama.h"
#include "models/model_input.h"
#include "output/number_text.h"
#include "train/failure_report.h"
#include "train/loop/loop.h"
#include "train/loop/sample_order.h"
#include "train/loop/shared_language_model.h"
#include "train/loop/validation.h"
#include "train/plan/first_samples.h"
#include "train/plan/run_rules.h"
#include "train/plan/startup_report.h"
#include "train/record/loss_plot.h"
#include "train/resume.h"
#include "train/run/find_step.h"
#include "train/run/folder_lock.h"
#include "train/run/run_facts.h"

namespace vllama::train {
namespace {

// Takes the folder, where no other run may write, before a line goes into its log. The log of rank
// 0 is the run's; other ranks may be on machines that do not see its folder. What is given holds
// the folder on rank 0.
std::optional<FolderLock> open_folder(const RunFolder& folder, distributed::Communicator& ranks) {
  std::optional<FolderLock> lock;
  ranks.decided_by_first(
      [&] {
        if (const std::string problem = folder.problem(); !problem.empty())
          throw UserError(problem);
        folder.prepare();
        lock.emplace(folder.path());
        return std::string();
      },
      "preparing the run's folder");
  if (ranks.is_first()) {
    log::also_to_file(folder.file("log.txt"));
    return lock;
  }
  std::error_code error;
  if (std::filesystem::is_directory(folder.path(), error))
    log::also_to_file(folder.file(fmt::format("log_rank_{:04}.txt", ranks.rank())));
  return lock;
}

std::string num_steps_text(const RunConfig& config) {
  return fmt::format("{} steps", output::grouped_digits(config.training.num_steps()));
}

std::string what_is_next(const RunConfig& config) {
  return fmt::format("next: vllama chat '{0}', or vllama export '{0}' --bundle FOLDER",
                     config.output_dir);
}

void tell_end(const RunFolder& folder, const RunConfig& config, int signal) {
  try {
    plot_loss(folder.file("metrics.jsonl"), folder.file("loss.svg"), config.output_dir);
  } catch (const UserError& problem) {
    log::warn("there is no loss curve: {}", problem.what());
  }
  const auto steps = checkpoint::list_steps(folder.checkpoints());
  const std::string last = steps.empty() ? "" : steps.back().path.string();
  if (signal != 0)
    log::warn("stopped by signal {} after saving '{}'; the same command goes on from here", signal,
              last);
  else
    log::info("done: {}, the last checkpoint is '{}'; {}", num_steps_text(config), last,
              what_is_next(config));
}

// Few clips that are seen very often are learned by heart.
void warn_of_many_passes(const RunConfig& config, const datasets::SampleOrder& order,
                         const datasets::Mixture& data) {
  for (const std::string& warning : many_passes(plan_datasets(config, data, order)))
    log::warn("{}", warning);
}

void tell_nothing_is_left(const RunConfig& config, const checkpoint::LoadedStep& last) {
  log::info("nothing is left to do: all {} are trained, the last checkpoint is '{}'; {}",
            num_steps_text(config), last.directory.path.string(), what_is_next(config));
}

// Folders of runs become the files to start from, and the sizes are those of the files.
RunConfig with_starting_points(RunConfig config) {
  find_starting_points(config.model.weights);
  config.model = models::with_sizes_of_files(std::move(config.model));
  return config;
}

int train_as_rank(const RunConfig& given, const TrainOptions& options, at::Device device,
                  distributed::Communicator& ranks, FailureReport& failures) {
  if (!ranks.is_first()) log::mark_rank(ranks.rank());
  // 1. The same everywhere, nothing that contradicts itself, and a folder for the run.
  const RunConfig config = with_starting_points(given);
  distributed::require_agreement(ranks, run_facts(config));
  const RunBasics basics = look_at_rules(config);
  require_none(basics.broken);
  const RunFolder folder(config.output_dir);
  const auto lock = options.dry_run ? std::optional<FolderLock>() : open_folder(folder, ranks);

  // 2. Data, and where the run begins, before anything large is read.
  ranks.enter("opening the data");
  const text::Tokenizer& tokenizer = *basics.tokenizer;
  const datasets::Mixture data(config.data, models::model_input(config.model), tokenizer);
  distributed::require_agreement(ranks, data_facts(data));
  const datasets::SampleOrder order = sample_order(config, data.sources());
  ranks.enter("looking for where the run begins");
  Beginning beginning =
      find_beginning(folder, config, *basics.language_model, options, data, ranks);
  if (!options.dry_run && beginning.nothing_is_left) {
    if (ranks.is_first()) tell_nothing_is_left(config, *beginning.start.checkpoint);
    ranks.leave();
    return 0;
  }
  ranks.enter("building the first samples");
  try_first_samples(config, data, ranks.is_first());
  if (ranks.is_first()) warn_of_many_passes(config, order, data);

  // 3. The model.
  ranks.enter("loading the model");
  const auto sharers = share_language_model(config, ranks, device);
  const auto model = models::load_video_llama(beginning.model, device, config.seed, sharers.get());
  Trainer trainer(config, *model, ranks);
  const Validation validation(config, folder, *model, tokenizer, ranks);
  const RunProgress progress = resume(std::move(beginning.start), trainer, ranks);
  const RankCounts counts{ranks.num_ranks(), ranks.num_local_ranks()};
  if (ranks.is_first())
    std::cout << startup_report(config, *model, counts, data, order) << std::endl;
  if (options.dry_run) {
    ranks.leave();
    return 0;
  }

  // 4. Steps.
  for (const auto& [name, text] : beginning.texts) write_file_atomically(folder.file(name), text);
  datasets::Loader loader(order, data,
                          {.first_step = progress.num_steps_done,
                           .end_step = config.training.num_steps(),
                           .rank = ranks.rank(),
                           .num_ranks = ranks.num_ranks(),
                           .num_micro_steps = config.training.num_micro_steps(ranks.num_ranks())},
                          config.data.loader, tokenizer.image_token());
  const StopSignal stop(ranks.is_first());
  Loop loop(
      {config, folder, ranks, trainer, order, data, loader, validation, stop, beginning.texts},
      progress);
  const int signal = failures.watch([&] { return loop.run(); });
  if (ranks.is_first()) tell_end(folder, config, signal);
  ranks.leave();
  return signal == 0 ? 0 : 128 + signal;
}

}  // namespace

int train(const RunConfig& config, const TrainOptions& options) {
  const SignalThread signals;  // before any other thread
  const distributed::Launch launch = distributed::read_launch();
  const at::Device device = distributed::chosen_device(config.device, launch);
  const c10::DeviceGuard guard(device);
  distributed::set_num_threads(config.num_threads, launch);
  distributed::Communicator ranks(launch, config.distributed, device);
  FailureReport failures(config, options.when_failed, ranks);
  return failures.watch([&] { return train_as_rank(config, options, device, ranks, failures); });
}

}  // namespace vllama::train

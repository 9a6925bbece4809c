#include "train/train.h"

#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include <iostream>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/signal_thread.h"
#include "datasets/mixture.h"
#include "distributed/agreement.h"
#include "eval/model_input.h"
#include "models/file_sizes.h"
#include "models/load_video_llama.h"
#include "train/device.h"
#include "train/failure_report.h"
#include "train/find_step.h"
#include "train/loop.h"
#include "train/loss_plot.h"
#include "train/resume.h"
#include "train/run_facts.h"
#include "train/sample_order.h"
#include "train/shared_language_model.h"
#include "train/startup_report.h"
#include "train/validation.h"

namespace vllama::train {
namespace {

// The log of rank 0 is the run's; other ranks may be on machines that do not see its folder.
void open_log(const RunFolder& folder, distributed::Communicator& ranks) {
  ranks.decided_by_first(
      [&] {
        folder.prepare();
        return std::string();
      },
      "preparing the run's folder");
  if (ranks.is_first()) return log::also_to_file(folder.file("log.txt"));
  log::mark_rank(ranks.rank());
  std::error_code error;
  if (std::filesystem::is_directory(folder.path(), error))
    log::also_to_file(folder.file(fmt::format("log_rank_{:04}.txt", ranks.rank())));
}

void check_spikes(const TrainingConfig& training) {
  if (training.skip_spikes && training.spike_z_score == 0)
    throw UserError(
        "training.skip_spikes: no loss is a spike with training.spike_z_score 0; set it, for "
        "instance to 6");
}

RunConfig with_starting_points(RunConfig config) {
  find_starting_points(config.model.weights);
  config.model = models::with_sizes_of_files(std::move(config.model));
  return config;
}

int train_as_rank(const RunConfig& given, const TrainOptions& options, at::Device device,
                  distributed::Communicator& ranks, FailureReport& failures) {
  // 1. The same everywhere, and a folder for the run.
  const RunConfig config = with_starting_points(given);
  distributed::require_agreement(ranks, run_facts(config));
  const RunFolder folder(config.output_dir);
  open_log(folder, ranks);

  // 2. Data, before anything large is read.
  ranks.enter("opening the data");
  const std::filesystem::path language_folder = config.model.weights.language_model;
  const auto language_model = models::read_llama_config(language_folder / "config.json");
  const text::Tokenizer tokenizer(language_folder / "tokenizer.model");
  models::check_vocabulary(language_model, tokenizer.size(), language_folder.string());
  check_longest_sequence(config, language_model);
  check_spikes(config.training);
  check_sharing(config);
  const datasets::Mixture data(config.data, eval::model_input(config.model), tokenizer);
  distributed::require_agreement(ranks, data_facts(data));
  const datasets::SampleOrder order = sample_order(config, data.sources());

  // 3. The model, and where its training stands.
  ranks.enter("loading the model");
  const auto sharers = share_language_model(config, ranks, device);
  const auto model = models::load_video_llama(without_replaced(config, folder, options, ranks),
                                              device, config.seed, sharers.get());
  Trainer trainer(config, *model, ranks);
  const Validation validation(config, folder, *model, tokenizer, ranks);
  const auto [progress, texts] = resume(folder, config, options, data, trainer, ranks);
  const RankCounts counts{ranks.num_ranks(), ranks.num_local_ranks()};
  if (ranks.is_first())
    std::cout << startup_report(config, *model, counts, data, order) << std::endl;
  if (options.dry_run) {
    ranks.leave();
    return 0;
  }

  // 4. Steps.
  for (const auto& [name, text] : texts) write_file_atomically(folder.file(name), text);
  datasets::Loader loader(order, data,
                          {.first_step = progress.num_steps_done,
                           .end_step = config.training.num_steps(),
                           .rank = ranks.rank(),
                           .num_ranks = ranks.num_ranks(),
                           .num_micro_steps = config.training.num_micro_steps(ranks.num_ranks())},
                          config.data.loader, tokenizer.image_token());
  const StopSignal stop;
  Loop loop({config, folder, ranks, trainer, order, data, loader, validation, stop, texts},
            progress);
  const int signal = failures.watch([&] { return loop.run(); });
  if (ranks.is_first())
    plot_loss(folder.file("metrics.jsonl"), folder.file("loss.svg"), config.output_dir);
  ranks.leave();
  if (signal == 0) return 0;
  if (ranks.is_first())
    log::warn("stopped by signal {} after saving; the same command goes on from here", signal);
  return 128 + signal;
}

}  // namespace

int train(const RunConfig& config, const TrainOptions& options) {
  const SignalThread signals;  // before any other thread
  const distributed::Launch launch = distributed::read_launch();
  const at::Device device = chosen_device(config.device, launch);
  const c10::DeviceGuard guard(device);
  set_num_threads(config.num_threads, launch);
  distributed::Communicator ranks(launch, config.distributed, device);
  FailureReport failures(config, options.when_failed, ranks);
  return failures.watch([&] { return train_as_rank(config, options, device, ranks, failures); });
}

}  // namespace vllama::train

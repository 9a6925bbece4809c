#include "train/train.h"

#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include <iostream>
#include <utility>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "datasets/mixture.h"
#include "distributed/agreement.h"
#include "models/load_video_llama.h"
#include "train/device.h"
#include "train/loop.h"
#include "train/loss_plot.h"
#include "train/model_input.h"
#include "train/resume.h"
#include "train/run_facts.h"
#include "train/sample_order.h"
#include "train/startup_report.h"

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

// What was recorded of the last operations between ranks, for those who look into a failure.
void write_flight_record(const RunConfig& config, const distributed::Communicator& ranks) {
  const RunFolder folder(config.output_dir);
  const auto path = folder.file(fmt::format("flight_record_rank_{:04}.json", ranks.rank()));
  try {
    write_file_atomically(path, ranks.flight_record());
    log::warn("the last operations between ranks are in '{}'", path.string());
  } catch (const RunFailure& failure) {
    log::warn("cannot write the record of the last operations: {}", failure.what());
  }
}

// What a failing rank does before it ends.
class FailureReport {
 public:
  FailureReport(const RunConfig& config, const TrainOptions& options,
                distributed::Communicator& ranks)
      : config_(config), ranks_(ranks), warn_(options.when_failed) {
    constexpr double kOthersListenSeconds = 10;
    longest_end_seconds_ = config.distributed.silence_seconds + kOthersListenSeconds;
    if (warn_)
      ranks.when_failed([warn = warn_, seconds = longest_end_seconds_](const std::string& verdict) {
        warn(verdict, seconds);
      });
  }

  // Does `work`. An error of it is reported before what is around `work` is destroyed, which can
  // take forever.
  template <class Work>
  auto watch(Work work) {
    try {
      return work();
    } catch (const distributed::RankFailure& failure) {
      if (tell(failure.what(), "")) write_flight_record(config_, ranks_);
      throw;
    } catch (const std::exception& failure) {
      tell(failure.what(), failure.what());
      throw;
    }
  }

 private:
  // False if that was done before.
  bool tell(const std::string& failure, const std::string& own_error) {
    if (std::exchange(has_told_, true)) return false;
    log::to_files(failure);
    if (warn_) warn_(failure, longest_end_seconds_);
    ranks_.fail(own_error);
    return true;
  }

  const RunConfig& config_;
  distributed::Communicator& ranks_;
  const std::function<void(const std::string& reason, double seconds)> warn_;
  double longest_end_seconds_;
  bool has_told_ = false;
};

int train_as_rank(const RunConfig& config, const TrainOptions& options, at::Device device,
                  distributed::Communicator& ranks, FailureReport& failures) {
  // 1. The same everywhere, and a folder for the run.
  distributed::require_agreement(ranks, run_facts(config));
  const RunFolder folder(config.output_dir);
  open_log(folder, ranks);

  // 2. Data, before anything large is read.
  ranks.enter("opening the data");
  const std::filesystem::path language_folder = config.model.weights.language_model;
  const text::Tokenizer tokenizer(language_folder / "tokenizer.model");
  const auto language_model = models::read_llama_config(language_folder / "config.json");
  models::check_vocabulary(language_model, tokenizer.size(), language_folder.string());
  check_longest_sequence(config, language_model);
  const datasets::Mixture data(config.data, model_input(config.model), tokenizer);
  distributed::require_agreement(ranks, data_facts(data));
  const datasets::SampleOrder order = sample_order(config, data.sources());

  // 3. The model, and where its training stands.
  ranks.enter("loading the model");
  const auto model = models::load_video_llama(config.model, device, config.seed);
  Trainer trainer(config, *model, ranks);
  const RunProgress progress = resume(folder, config, options, trainer, ranks);
  if (ranks.is_first()) std::cerr << startup_report(config, *model, data, order) << std::endl;
  if (options.dry_run) {
    ranks.leave();
    return 0;
  }

  // 4. Steps.
  if (ranks.is_first()) write_file_atomically(folder.file("config.yaml"), config::dump(config));
  datasets::Loader loader(order, data,
                          {.first_step = progress.num_steps_done,
                           .end_step = config.training.num_steps(),
                           .rank = ranks.rank(),
                           .num_ranks = ranks.num_ranks(),
                           .num_micro_steps = config.training.num_micro_steps(ranks.num_ranks())},
                          config.data.loader, tokenizer.image_token());
  const int signal =
      failures.watch([&] { return Loop(config, folder, ranks, trainer, loader, progress).run(); });
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
  const distributed::Launch launch = distributed::read_launch();
  const at::Device device = chosen_device(config.device, launch);
  const c10::DeviceGuard guard(device);
  set_num_threads(config.num_threads, launch);
  distributed::Communicator ranks(launch, config.distributed, device);
  FailureReport failures(config, options, ranks);
  return failures.watch([&] { return train_as_rank(config, options, device, ranks, failures); });
}

}  // namespace vllama::train

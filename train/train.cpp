#include "train/train.h"

#include <ATen/Parallel.h>
#include <fmt/format.h>

#include <chrono>
#include <iostream>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "datasets/mixture.h"
#include "models/load_video_llama.h"
#include "train/bad_steps.h"
#include "train/config_change.h"
#include "train/device.h"
#include "train/dropped_log.h"
#include "train/loss_plot.h"
#include "train/model_input.h"
#include "train/progress.h"
#include "train/run_folder.h"
#include "train/sample_order.h"
#include "train/startup_report.h"
#include "train/stop_signal.h"
#include "train/tensorboard.h"
#include "train/trainer.h"

namespace vllama::train {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The loop over steps, with everything that it writes.
class Loop {
 public:
  Loop(const RunConfig& config, const RunFolder& folder, Trainer& trainer,
       const datasets::SampleOrder& order, const datasets::SampleSource& data,
       datasets::Loader& loader, RunProgress progress)
      : config_(config),
        folder_(folder),
        trainer_(trainer),
        order_(order),
        data_(data),
        loader_(loader),
        progress_(std::move(progress)),
        metrics_(folder.file("metrics.jsonl"), progress_.num_steps_done),
        dropped_(folder.file("dropped.jsonl"), progress_.num_steps_done),
        bad_steps_(folder.file("bad_steps.jsonl"), progress_.num_steps_done),
        events_(folder.path(), progress_.num_steps_done),
        display_(progress_.num_steps_done, config.training.num_steps(),
                 config.training.steps_per_log_line, standard_error()),
        health_({config.training.spike_z_score, config.training.skip_spikes}, progress_.health) {}

  // Returns the number of the signal that ended the loop, or 0.
  int run() {
    const StopSignal stop;
    const std::int64_t num_steps = config_.training.num_steps();
    while (progress_.num_steps_done < num_steps && stop.received() == 0) {
      run_step();
      const bool due = progress_.num_steps_done % config_.training.checkpoint_every_steps == 0;
      if (due || progress_.num_steps_done == num_steps || stop.received() != 0)
        folder_.save(config_, progress_, trainer_.state());
    }
    display_.finish();
    return stop.received();
  }

 private:
  void run_step() {
    const double start = seconds_now(), waited = loader_.counters().wait_seconds;
    const std::int64_t step = progress_.num_steps_done;
    StepResult result = trainer_.step(
        step, [this] { return loader_.next(); },
        [&](StepMetrics& metrics) { health_.judge(metrics, loss_kind(order_, data_, step)); });
    result.metrics.data_wait_seconds = loader_.counters().wait_seconds - waited;
    result.metrics.seconds = seconds_now() - start;
    ++progress_.num_steps_done;
    record(result);
    check_health(result);
  }

  void record(const StepResult& result) {
    metrics_.write(result.metrics);
    dropped_.write(result.dropped);
    if (result.metrics.problem) record_bad_step(result.metrics);
    events_.write(result.metrics);
    display_.update(result.metrics);
  }

  void record_bad_step(const StepMetrics& metrics) {
    const BadStep step = bad_step(metrics, samples_of_step(order_, data_, metrics.step - 1));
    log::warn("{}", bad_step_text(step));
    bad_steps_.write(step);
  }

  void check_health(const StepResult& result) {
    const auto num_dropped = static_cast<std::int64_t>(result.dropped.size());
    progress_.num_samples += result.metrics.num_samples + num_dropped;
    progress_.num_dropped += num_dropped;
    datasets::check_broken_share(progress_.num_samples, progress_.num_dropped,
                                 config_.data.max_broken_share);
    progress_.health = health_.state();
    if (health_.num_skipped_in_a_row() >= config_.training.max_bad_steps)
      throw RunFailure(
          fmt::format("{} steps in a row were skipped (training.max_bad_steps); "
                      "lower the learning rate, or look at their samples with vllama show {} "
                      "--bad-steps",
                      health_.num_skipped_in_a_row(), folder_.file("config.yaml").string()));
  }

  const RunConfig& config_;
  const RunFolder& folder_;
  Trainer& trainer_;
  const datasets::SampleOrder& order_;
  const datasets::SampleSource& data_;
  datasets::Loader& loader_;
  RunProgress progress_;
  MetricsWriter metrics_;
  DroppedLog dropped_;
  BadStepLog bad_steps_;
  TensorboardWriter events_;
  Progress display_;
  StepHealth health_;
};

void check_spikes(const TrainingConfig& training) {
  if (training.skip_spikes && training.spike_z_score == 0)
    throw UserError(
        "training.skip_spikes: no loss is a spike with training.spike_z_score 0; set it, for "
        "instance to 6");
}

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

// Puts the trainer where the checkpoint was.
RunProgress resume(const std::optional<checkpoint::StepDirectory>& found, const RunConfig& config,
                   bool accept_changes, Trainer& trainer) {
  if (!found) return {};
  const auto contents = checkpoint::load_step(found->path);
  check_changes(contents, found->path.string(), config, accept_changes);
  const RunProgress progress = read_progress(contents);
  trainer.load_state(contents.tensors);
  log::info("resumed from '{}' after {} steps", found->path.string(), progress.num_steps_done);
  return progress;
}

}  // namespace

int train(const RunConfig& config, const TrainOptions& options) {
  // 1. The folder of the run, and what it already holds.
  const RunFolder folder(config.output_dir);
  log::also_to_file(folder.file("log.txt"));
  const auto found = folder.find_checkpoint(options.resume);
  if (config.num_threads > 0) at::set_num_threads(static_cast<int>(config.num_threads));

  // 2. Data, before anything large is read.
  const std::filesystem::path language_folder = config.model.weights.language_model;
  const text::Tokenizer tokenizer(language_folder / "tokenizer.model");
  const auto language_model = models::read_llama_config(language_folder / "config.json");
  models::check_vocabulary(language_model, tokenizer.size(), language_folder.string());
  check_longest_sequence(config, language_model);
  check_spikes(config.training);
  const datasets::Mixture data(config.data, model_input(config.model), tokenizer);
  const datasets::SampleOrder order = sample_order(config, data.sources());

  // 3. The model, and where its training stands.
  const auto model =
      models::load_video_llama(config.model, chosen_device(config.device), config.seed);
  Trainer trainer(config, *model);
  const RunProgress progress = resume(found, config, options.accept_changes, trainer);
  std::cerr << startup_report(config, *model, data, order) << std::endl;
  if (options.dry_run) return 0;

  // 4. Steps.
  write_file_atomically(folder.file("config.yaml"), config::dump(config));
  datasets::Loader loader(order, data,
                          {.first_step = progress.num_steps_done,
                           .end_step = config.training.num_steps(),
                           .num_micro_steps = config.training.accumulation_steps},
                          config.data.loader, tokenizer.image_token());
  const int signal = Loop(config, folder, trainer, order, data, loader, progress).run();
  plot_loss(folder.file("metrics.jsonl"), folder.file("loss.svg"), config.output_dir);
  if (signal == 0) return 0;
  log::warn("stopped by signal {} after saving; the same command goes on from here", signal);
  return 128 + signal;
}

}  // namespace vllama::train

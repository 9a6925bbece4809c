#include "train/loop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/log.h"

namespace vllama::train {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Loop::Loop(const RunConfig& config, const RunFolder& folder, distributed::Communicator& ranks,
           Trainer& trainer, datasets::Loader& loader, const RunProgress& progress)
    : config_(config),
      folder_(folder),
      ranks_(ranks),
      trainer_(trainer),
      loader_(loader),
      progress_(progress) {
  if (ranks.is_first())
    record_ = std::make_unique<RunRecord>(config, folder, progress.num_steps_done);
}

int Loop::run() {
  while (progress_.num_steps_done < config_.training.num_steps() && agreed_signal_ == 0) {
    run_step();
    save_if_due();
  }
  if (record_) record_->finish();
  return agreed_signal_;
}

void Loop::run_step() {
  const double start = seconds_now(), waited = loader_.counters().wait_seconds,
               communicated = ranks_.seconds();
  StepResult result = trainer_.step(
      progress_.num_steps_done, [this] { return loader_.next(); }, [this] { return report(); });
  ++progress_.num_steps_done;
  for (const RankReport& of_rank : result.reports)
    agreed_signal_ = std::max(agreed_signal_, of_rank.stop_signal);

  StepMetrics& metrics = result.metrics;
  metrics.data_wait_seconds = loader_.counters().wait_seconds - waited;
  metrics.seconds = seconds_now() - start;
  last_step_.data_wait_seconds = metrics.data_wait_seconds;
  last_step_.compute_seconds =
      metrics.seconds - metrics.data_wait_seconds - (ranks_.seconds() - communicated);
  record(result);
  check_health(result);
}

RankReport Loop::report() const {
  RankReport own = last_step_;
  own.stop_signal = stop_.received();
  return own;
}

void Loop::record(const StepResult& result) {
  std::vector<datasets::DroppedSample> dropped = result.dropped;
  if (result.num_dropped > 0) {
    const auto lines = ranks_.gather(to_lines(dropped),
                                     fmt::format("step {}: dropped samples", result.metrics.step));
    dropped = from_lines(fmt::format("{}", fmt::join(lines, "")));
  }
  if (record_) record_->write(result.metrics, std::move(dropped));
}

void Loop::check_health(const StepResult& result) {
  progress_.num_samples += result.metrics.num_samples + result.num_dropped;
  progress_.num_dropped += result.num_dropped;
  datasets::check_broken_share(progress_.num_samples, progress_.num_dropped,
                               config_.data.max_broken_share);
  num_bad_steps_ = result.updated ? 0 : num_bad_steps_ + 1;
  if (result.updated) return;
  const auto samples =
      ranks_.gather(fmt::format("{}", fmt::join(result.sample_ids, " ")),
                    fmt::format("step {}: samples of a bad step", result.metrics.step));
  if (ranks_.is_first())
    log::warn("step {} was skipped: loss {}, gradient norm {}, {} target tokens; samples: {}",
              result.metrics.step, result.metrics.loss, result.metrics.gradient_norm,
              result.metrics.num_target_tokens, fmt::join(samples, " "));
  if (num_bad_steps_ >= config_.training.max_bad_steps)
    throw RunFailure(
        fmt::format("{} steps in a row had no usable loss or gradient (training.max_bad_steps); "
                    "lower the learning rate or look at the samples named in the log",
                    num_bad_steps_));
}

void Loop::save_if_due() {
  const std::int64_t step = progress_.num_steps_done;
  const bool is_due = step % config_.checkpoints.every_steps == 0 || agreed_signal_ != 0 ||
                      step == config_.training.num_steps();
  if (!is_due) return;
  auto state = trainer_.state();
  if (ranks_.is_first()) folder_.save(config_, progress_, std::move(state));
}

}  // namespace vllama::train

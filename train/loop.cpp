#include "train/loop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>

#include "core/error.h"
#include "core/log.h"
#include "train/sample_order.h"

namespace vllama::train {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Loop::Loop(const RunConfig& config, const RunFolder& folder, distributed::Communicator& ranks,
           Trainer& trainer, const Data& data, const RunProgress& progress)
    : config_(config),
      folder_(folder),
      ranks_(ranks),
      trainer_(trainer),
      data_(data),
      progress_(progress),
      health_({config.training.spike_z_score, config.training.skip_spikes}, progress.health) {
  if (ranks.is_first())
    record_ = std::make_unique<RunRecord>(config, folder, progress.num_steps_done);
  const std::int64_t every_steps = config.distributed.straggler_every_steps;
  if (ranks.num_ranks() > 1 && every_steps > 0) stragglers_.emplace(ranks.num_ranks(), every_steps);
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
  const double start = seconds_now(), waited = data_.loader.counters().wait_seconds,
               communicated = ranks_.seconds();
  const std::int64_t step = progress_.num_steps_done;
  StepResult result = trainer_.step(
      step, [this] { return data_.loader.next(); }, [this] { return report(); },
      [&](StepMetrics& metrics) {
        health_.judge(metrics, loss_kind(data_.order, data_.source, step));
      });
  ++progress_.num_steps_done;
  for (const RankReport& of_rank : result.reports)
    agreed_signal_ = std::max(agreed_signal_, of_rank.stop_signal);

  StepMetrics& metrics = result.metrics;
  metrics.data_wait_seconds = data_.loader.counters().wait_seconds - waited;
  metrics.seconds = seconds_now() - start;
  last_step_.data_wait_seconds = metrics.data_wait_seconds;
  const double communication_seconds = ranks_.seconds() - communicated;
  last_step_.compute_seconds = metrics.seconds - metrics.data_wait_seconds - communication_seconds;
  if (ranks_.num_ranks() > 1) add_ranks(result, communication_seconds, metrics);
  record(result);
  check_health(result);
}

void Loop::add_ranks(const StepResult& result, double communication_seconds, StepMetrics& metrics) {
  metrics.num_ranks = ranks_.num_ranks();
  metrics.communication_seconds = communication_seconds;
  if (!stragglers_) return;
  std::vector<RankTimes> times;
  for (const RankReport& of_rank : result.reports)
    times.push_back({of_rank.compute_seconds, of_rank.data_wait_seconds});
  const auto report = stragglers_->add(times);
  if (!report) return;
  metrics.straggler = report->straggler;
  if (record_ && report->is_noteworthy()) log::warn("{}", report->text());
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
  if (!record_) return;
  record_->write(result.metrics, std::move(dropped));
  if (result.metrics.problem)
    record_->write_bad_step(bad_step(
        result.metrics, samples_of_step(data_.order, data_.source, result.metrics.step - 1)));
}

void Loop::check_health(const StepResult& result) {
  progress_.num_samples += result.metrics.num_samples + result.num_dropped;
  progress_.num_dropped += result.num_dropped;
  datasets::check_broken_share(progress_.num_samples, progress_.num_dropped,
                               config_.data.max_broken_share);
  progress_.health = health_.state();
  if (health_.num_skipped_in_a_row() >= config_.training.max_bad_steps)
    throw RunFailure(
        fmt::format("{} steps in a row were skipped (training.max_bad_steps); lower the learning "
                    "rate, or look at their samples with vllama show {} --bad-steps",
                    health_.num_skipped_in_a_row(), folder_.file("config.yaml").string()));
}

void Loop::save_if_due() {
  const std::int64_t step = progress_.num_steps_done;
  const bool is_due = step % config_.checkpoints.every_steps == 0 || agreed_signal_ != 0 ||
                      step == config_.training.num_steps();
  if (is_due && ranks_.is_first()) folder_.save(config_, progress_, trainer_.state());
}

}  // namespace vllama::train

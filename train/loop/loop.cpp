#include "train/loop/loop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "core/error.h"
#include "core/log.h"
#include "train/loop/sample_order.h"

namespace vllama::train {
namespace {

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

}  // namespace

Loop::Loop(const LoopParts& parts, RunProgress progress)
    : parts_(parts),
      progress_(std::move(progress)),
      health_({parts.config.training.spike_z_score, parts.config.training.skip_spikes},
              progress_.health),
      has_finite_loss_(progress_.num_steps_done > 0) {
  if (!parts_.ranks.is_first()) return;
  checkpoints_ = std::make_unique<CheckpointWriter>(parts_.folder.checkpoints(),
                                                    parts_.config.checkpoints, parts_.texts);
  record_ = std::make_unique<RunRecord>(parts_.config, parts_.folder, progress_.num_steps_done);
  const std::int64_t every_steps = parts_.config.distributed.straggler_every_steps;
  if (parts_.ranks.num_ranks() > 1 && every_steps > 0)
    stragglers_.emplace(parts_.ranks.num_ranks(), every_steps);
}

int Loop::run() {
  while (progress_.num_steps_done < parts_.config.training.num_steps() && agreed_signal_ == 0) {
    run_step();
    validate_if_due();
    save_if_due();
  }
  parts_.ranks.enter("writing the last checkpoint");
  parts_.stop.doing("the last checkpoint is written", 0);
  if (checkpoints_) checkpoints_->wait();
  if (record_) record_->finish();
  if (agreed_signal_ == 0) require_some_loss();
  return agreed_signal_;
}

void Loop::require_some_loss() const {
  if (has_finite_loss_) return;
  std::string reasons;
  for (const auto& [problem, count] : problems_)
    reasons += fmt::format("{}{} of {}", reasons.empty() ? "" : ", ", problem_name(problem), count);
  throw RunFailure(
      fmt::format("not one of {} steps had a finite loss, so nothing was learned ({}); look at "
                  "their samples with vllama show {} --bad-steps",
                  progress_.num_steps_done, reasons, parts_.folder.file("config.yaml").string()));
}

void Loop::run_step() {
  const std::int64_t step = progress_.num_steps_done;
  parts_.stop.doing("this step", last_seconds_);
  const double start = seconds_now(), waited = parts_.loader.counters().wait_seconds,
               communicated = parts_.ranks.seconds();
  StepResult result = parts_.trainer.step(
      step, [this] { return parts_.loader.next(); }, [this] { return report(); },
      [&](StepMetrics& metrics) {
        health_.judge(metrics, loss_kind(parts_.order, parts_.data, step));
      });
  ++progress_.num_steps_done;
  for (const RankReport& of_rank : result.reports)
    agreed_signal_ = std::max(agreed_signal_, of_rank.stop_signal);

  StepMetrics& metrics = result.metrics;
  metrics.seconds = last_seconds_ = seconds_now() - start;
  metrics.data_wait_seconds = parts_.loader.counters().wait_seconds - waited;
  if (parts_.ranks.num_ranks() > 1)
    metrics.communication_seconds = parts_.ranks.seconds() - communicated;
  add_times(metrics, result.reports);
  record(result);
  check_health(result);
}

// A signal that comes later is told to the others in the next step.
RankReport Loop::report() const {
  parts_.stop.doing("the next step", last_seconds_);
  RankReport own = last_step_;
  own.stop_signal = parts_.stop.received();
  return own;
}

// What the ranks report is about the step before.
void Loop::add_times(StepMetrics& metrics, const std::vector<RankReport>& reports) {
  last_step_.data_wait_seconds = metrics.data_wait_seconds;
  last_step_.compute_seconds =
      metrics.seconds - metrics.data_wait_seconds - metrics.communication_seconds.value_or(0);
  if (parts_.ranks.num_ranks() > 1) metrics.num_ranks = parts_.ranks.num_ranks();
  if (!stragglers_) return;
  std::vector<RankTimes> times;
  for (const RankReport& of_rank : reports)
    times.push_back({of_rank.compute_seconds, of_rank.data_wait_seconds});
  const auto found = stragglers_->add(times);
  if (!found) return;
  metrics.straggler = found->straggler;
  if (found->is_noteworthy()) log::warn("step {}: {}", metrics.step, found->text());
}

void Loop::record(const StepResult& result) {
  std::vector<datasets::DroppedSample> dropped = result.dropped;
  if (result.num_dropped > 0) {
    const auto lines = parts_.ranks.gather(
        to_lines(dropped), fmt::format("step {}: dropped samples", result.metrics.step));
    dropped = from_lines(fmt::format("{}", fmt::join(lines, "")));
  }
  if (!record_) return;
  record_->write(result.metrics, std::move(dropped));
  if (result.metrics.problem)
    record_->write_bad(result.metrics,
                       samples_of_step(parts_.order, parts_.data, result.metrics.step - 1));
}

void Loop::check_health(const StepResult& result) {
  const RunConfig& config = parts_.config;
  progress_.num_samples += result.metrics.num_samples + result.num_dropped;
  progress_.num_dropped += result.num_dropped;
  progress_.health = health_.state();
  datasets::check_broken_share(progress_.num_samples, progress_.num_dropped,
                               config.data.max_broken_share);
  if (!result.metrics.skipped) progress_.metric_sums["loss"].add(result.metrics.loss);
  has_finite_loss_ = has_finite_loss_ || std::isfinite(result.metrics.loss);
  if (result.metrics.problem) ++problems_[*result.metrics.problem];
  if (health_.num_skipped_in_a_row() >= config.training.max_bad_steps)
    throw RunFailure(fmt::format(
        "{} steps in a row were skipped (training.max_bad_steps), the last one as {}: {}look at "
        "their samples with vllama show {} --bad-steps",
        health_.num_skipped_in_a_row(), problem_name(*result.metrics.problem),
        *result.metrics.problem == StepProblem::no_targets
            ? "nothing was left to be learned in them, dropped.jsonl says of every sample why; "
            : "lower the learning rate, or ",
        parts_.folder.file("config.yaml").string()));
}

void Loop::validate_if_due() {
  const std::int64_t step = progress_.num_steps_done;
  validated_.clear();
  if (!parts_.validation.is_due(step) || agreed_signal_ != 0) return;
  parts_.stop.doing("this evaluation and the step that follows", 0);
  const ValidationResult result = parts_.validation(step);
  if (record_) record_->write_validation(step, result);
  validated_ = result.metrics;
}

void Loop::save_if_due() {
  const RunConfig& config = parts_.config;
  const std::int64_t step = progress_.num_steps_done;
  const bool is_due = step % config.checkpoints.every_steps == 0;
  if (checkpoints_) checkpoints_->check();
  if (!is_due && agreed_signal_ == 0 && step < config.training.num_steps()) return;
  parts_.ranks.enter(fmt::format("step {}: saving a checkpoint", step));
  // Checkpoints are compared by means over whole intervals only.
  std::map<std::string, double> metrics;
  if (is_due) {
    metrics = mean_metrics(progress_);
    progress_.metric_sums.clear();
    metrics.insert(validated_.begin(), validated_.end());
  }
  const auto state = parts_.trainer.state();
  if (checkpoints_) checkpoints_->save(progress_, state, metrics);
}

}  // namespace vllama::train

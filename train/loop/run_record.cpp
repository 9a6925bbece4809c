#include "train/loop/run_record.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "core/log.h"

namespace vllama::train {

RunRecord::RunRecord(const RunConfig& config, const RunFolder& folder, std::int64_t num_steps_done)
    : metrics_(folder.file("metrics.jsonl"), num_steps_done),
      dropped_(folder.file("dropped.jsonl"), num_steps_done),
      bad_steps_(folder.file("bad_steps.jsonl"), num_steps_done),
      validations_(folder.file("eval.jsonl"), num_steps_done),
      events_(folder.path(), num_steps_done),
      display_(num_steps_done, config.training.num_steps(), config.training.steps_per_log_line,
               standard_error()) {}

void RunRecord::write(StepMetrics metrics, std::vector<datasets::DroppedSample> dropped) {
  // The same order whichever rank met them.
  std::ranges::sort(dropped, {}, [](const datasets::DroppedSample& sample) {
    return std::tie(sample.dataset, sample.id, sample.reason);
  });
  for (const auto& sample : dropped) ++metrics.dropped[sample.reason];
  metrics_.write(metrics);
  dropped_.write(dropped);
  events_.write(metrics);
  display_.update(metrics);
}

void RunRecord::write_bad(const StepMetrics& metrics, std::vector<StepSample> samples) {
  const BadStep step = bad_step(metrics, std::move(samples));
  log::warn("{}", bad_step_text(step));
  bad_steps_.write(step);
}

void RunRecord::write_validation(std::int64_t step, const ValidationResult& result) {
  validations_.write(step, result);
  events_.write(step, {result.metrics.begin(), result.metrics.end()});
  TensorboardWriter::Texts texts;
  for (std::size_t i = 0; i < result.answers.size(); ++i) {
    const ShownAnswer& answer = result.answers[i];
    texts.emplace_back(fmt::format("eval/{}/{}", answer.task, i), answer.text);
    log::info("step {}: {}: {}", step, answer.task, answer.text);
  }
  if (!texts.empty()) events_.write_texts(step, texts);
  for (const auto& [name, value] : result.metrics)
    log::info("step {}: {} {:.5g}", step, name, value);
}

}  // namespace vllama::train

#include "train/loop/sample_order.h"

#include "datasets/order/mixing.h"

namespace vllama::train {

datasets::SampleOrder sample_order(const RunConfig& config,
                                   std::vector<datasets::SampleOrder::Source> sources) {
  const datasets::RunSize run{config.training.num_steps(), config.training.batch_size};
  return {std::move(sources), datasets::order_settings(config.data, run, config.seed)};
}

std::vector<StepSample> samples_of_step(const datasets::SampleOrder& order,
                                        const datasets::SampleSource& data, std::int64_t step) {
  std::vector<StepSample> samples;
  for (const datasets::PlannedSample& planned : order.step(step)) {
    const datasets::Record record = data.record(planned);
    StepSample sample{data.dataset_name(planned.dataset), record.id, {}};
    for (const samples::MediaFile& file : record.media) sample.paths.push_back(file.source.name());
    samples.push_back(std::move(sample));
  }
  return samples;
}

std::string loss_kind(const datasets::SampleOrder& order, const datasets::SampleSource& data,
                      std::int64_t step) {
  if (order.settings().mixing == datasets::Mixing::within_step) return "all";
  return data.dataset_name(order.step(step).front().dataset);
}

}  // namespace vllama::train

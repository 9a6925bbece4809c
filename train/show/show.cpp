#include "train/show/show.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/terminal_text.h"
#include "datasets/loading/mixture.h"
#include "models/file_sizes.h"
#include "models/model_input.h"
#include "text/tokenizers/open_tokenizer.h"
#include "train/loop/sample_order.h"
#include "train/provenance/provenance_changes.h"
#include "train/show/example_page.h"
#include "train/show/output_folder.h"
#include "train/show/replay.h"
#include "train/show/sample_view.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;
using datasets::PlannedSample;

// Only the data set that the sample is of; all of them where the run's order decides.
datasets::DataConfig needed_data(const RunConfig& config, const ShowOptions& options) {
  datasets::DataConfig data = config.data;
  if (options.step || data.sets.empty()) return data;
  if (options.dataset.empty()) {
    data.sets.resize(1);
    return data;
  }
  std::string names;
  for (const auto& set : data.sets) {
    if (set.name == options.dataset) {
      data.sets = {set};
      return data;
    }
    names += (names.empty() ? "" : ", ") + set.name;
  }
  throw UserError(
      fmt::format("--dataset: the run has no data set '{}'; it has {}", options.dataset, names));
}

struct Choice {
  PlannedSample sample;
  std::string description;
};

Choice choose_record(const RunConfig& config, const ShowOptions& options,
                     const datasets::Mixture& data) {
  const std::int64_t index = options.sample.value_or(0), size = data.dataset(0).size();
  if (index < 0 || index >= size)
    throw UserError(fmt::format("--sample {}: data set {} has the records 0 to {}", index,
                                data.dataset_name(0), size - 1));
  return {{.dataset = 0, .index = index, .seed = config.seed},
          fmt::format("record {} of {} in {}", index, size, data.dataset_name(0))};
}

Choice choose_from_step(const RunConfig& config, const ShowOptions& options,
                        const datasets::Mixture& data) {
  const std::int64_t step = *options.step, place = *options.sample;
  const std::int64_t num_steps = config.training.num_steps();
  if (step < 1 || step > num_steps)
    throw UserError(fmt::format("--step {}: the run has the steps 1 to {}", step, num_steps));
  const auto samples = sample_order(config, data.sources()).step(step - 1);
  if (place < 0 || place >= std::ssize(samples))
    throw UserError(fmt::format("--sample {}: step {} has the samples 0 to {}", place, step,
                                samples.size() - 1));
  const PlannedSample& sample = samples[static_cast<std::size_t>(place)];
  return {sample, fmt::format("record {} of {}, sample {} of {} of step {}", sample.index,
                              data.dataset_name(sample.dataset), place, samples.size(), step)};
}

}  // namespace

std::string show(const RunConfig& given, const ShowOptions& options) {
  RunConfig config = given;
  config.model = models::with_sizes_of_files(given.model);
  if (options.bad_steps || (options.step && !options.sample)) return replay(config, options);
  const fs::path language_folder = config.model.weights.language_model;
  const auto tokenizer = text::open_tokenizer(language_folder);
  const datasets::Mixture data(needed_data(config, options), models::model_input(config.model),
                               *tokenizer);
  if (options.step) warn_of_changed_data(config, data);
  const Choice choice =
      options.step ? choose_from_step(config, options, data) : choose_record(config, options, data);
  std::optional<SampleLosses> losses;
  if (options.losses) losses.emplace(config, *options.losses, tokenizer->image_token());
  SampleView view = view_sample(data, choice.sample, *tokenizer, losses ? &*losses : nullptr);
  if (view.dropped)
    throw UserError(fmt::format("{}, '{}', cannot be shown, and training would drop it: {}",
                                choice.description, visible(data.record(choice.sample).id),
                                *view.dropped));
  ExampleView& example = view.example;
  example.facts.insert(example.facts.begin(), {"sample", choice.description});
  std::string names;
  if (write_output(options.output, "frames.png", example.frames)) names += "frames.png, ";
  if (write_output(options.output, "sound.png", example.sound)) names += "sound.png, ";
  write_output(options.output, "example.html", example_html(example));
  return fmt::format("{}\nIn {}: {}example.html\n", example_text(example, options.style),
                     options.output.string(), names);
}

}  // namespace vllama::train

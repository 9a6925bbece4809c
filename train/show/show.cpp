#include "train/show/show.h"

#include <fmt/format.h>

#include "core/error.h"
#include "core/files.h"
#include "datasets/mixture.h"
#include "media/error.h"
#include "media/write_png.h"
#include "text/error.h"
#include "train/model_input.h"
#include "train/safe_text.h"
#include "train/sample_order.h"
#include "train/show/example_view.h"

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

Choice choose_from_step(const RunConfig& config, std::int64_t step, const datasets::Mixture& data) {
  const std::int64_t num_steps = config.training.num_steps();
  if (step < 0 || step >= num_steps)
    throw UserError(fmt::format("--step {}: the run has the steps 0 to {}", step, num_steps - 1));
  const auto samples = sample_order(config, data.sources()).step(step);
  std::string others;
  for (const PlannedSample& sample : samples) others += fmt::format(" {}", sample.index);
  const PlannedSample& first = samples.front();
  return {first, fmt::format("record {} of {}, the first sample of step {}; its records:{}",
                             first.index, data.dataset_name(first.dataset), step, others)};
}

processors::Example build(const datasets::Mixture& data, const datasets::Record& record,
                          const Choice& choice) {
  const auto dropped = [&](std::string_view reason, const char* detail) {
    return UserError(fmt::format("{}, '{}', cannot be shown, and training would drop it: {}: {}",
                                 choice.description, visible(record.id), reason, detail));
  };
  datasets::StageSeconds seconds;
  try {
    return data.build(record, choice.sample, seconds);
  } catch (const media::MediaError& error) {
    throw dropped(media::failure_name(error.reason), error.what());
  } catch (const text::TextError& error) {
    throw dropped(text::failure_name(error.reason), error.what());
  }
}

void make_folder(const fs::path& folder) {
  std::error_code problem;
  fs::create_directories(folder, problem);
  if (problem)
    throw UserError(fmt::format("--output: the folder '{}' cannot be created: {}", folder.string(),
                                problem.message()));
}

// Returns the names of what was written.
std::string write_files(const ExampleView& view, const fs::path& folder) {
  make_folder(folder);
  std::string names;
  try {
    for (const auto& [name, image] :
         {std::pair("frames.png", &view.frames), std::pair("sound.png", &view.sound)}) {
      if (image->rgb.empty()) {
        fs::remove(folder / name);
        continue;
      }
      media::write_png(*image, folder / name);
      names += fmt::format("{}, ", name);
    }
    write_file_atomically(folder / "example.html", example_html(view));
  } catch (const RunFailure& failure) {
    throw UserError(fmt::format("--output: {}", failure.what()));
  } catch (const fs::filesystem_error& failure) {
    throw UserError(fmt::format("--output: {}", failure.what()));
  }
  return names + "example.html";
}

}  // namespace

std::string show(const RunConfig& config, const ShowOptions& options) {
  const fs::path language_folder = config.model.weights.language_model;
  const text::Tokenizer tokenizer(language_folder / "tokenizer.model");
  const datasets::Mixture data(needed_data(config, options), model_input(config.model), tokenizer);
  const Choice choice = options.step ? choose_from_step(config, *options.step, data)
                                     : choose_record(config, options, data);
  const datasets::Record record = data.record(choice.sample);
  ExampleView view = view_of(record, build(data, record, choice), tokenizer);
  view.facts.insert(view.facts.begin(), {"sample", choice.description});
  const std::string written = write_files(view, options.output);
  return fmt::format("{}\nIn {}: {}\n", example_text(view, options.style), options.output.string(),
                     written);
}

}  // namespace vllama::train

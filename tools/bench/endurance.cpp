#include "tools/bench/endurance.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <iostream>
#include <limits>
#include <memory>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "datasets/loading/loader.h"
#include "datasets/loading/mixture.h"
#include "models/model_input.h"
#include "text/tokenizers/open_tokenizer.h"
#include "tools/bench/endurance_report.h"
#include "tools/bench/watched_process.h"
#include "tools/command_line/run_arguments.h"
#include "train/loop/sample_order.h"

namespace vllama::tools {
namespace fs = std::filesystem;
namespace {

constexpr std::int64_t kReadings = 200;  // of a run, unless told otherwise

struct EnduranceArguments {
  RunArguments run;
  std::int64_t num_batches = 20000, first = 500, every = 0;
  std::string only;
  fs::path plot;
  bool as_json = false;
};

// Where readings are taken: first, first + every, ... and `last`.
class ReadingPlan {
 public:
  ReadingPlan(std::int64_t first, std::int64_t every, std::int64_t last)
      : next_(first),
        every_(every > 0 ? every : std::max<std::int64_t>(1, (last - first) / kReadings)),
        last_(last) {
    if (first >= last)
      throw UserError(fmt::format("--from {} must come before the end, {}", first, last));
  }
  bool is_due(std::int64_t count) const { return count >= next_; }
  void done(std::int64_t count) {
    next_ = count < last_ ? std::min(last_, std::max(next_ + every_, count + 1))
                          : std::numeric_limits<std::int64_t>::max();
  }

 private:
  std::int64_t next_, every_, last_;
};

// Prints and plots the readings. Throws RunFailure if something grew.
void conclude(const Endurance& endurance, const EnduranceArguments& arguments) {
  if (!arguments.plot.empty()) write_file_atomically(arguments.plot, endurance_svg(endurance));
  std::cout << (arguments.as_json ? to_json(endurance).dump(2) + "\n" : to_text(endurance))
            << std::flush;
  if (!endurance.has_passed()) throw RunFailure("open files, threads or memory are not level");
}

// Leaves out all data sets but one.
void keep_only(datasets::DataConfig& data, const std::string& name) {
  std::erase_if(data.sets, [&](const auto& set) { return set.name != name; });
  if (data.sets.empty()) throw UserError(fmt::format("--only: the run has no data set '{}'", name));
}

void measure_data(const EnduranceArguments& arguments) {
  train::RunConfig config = read_config(arguments.run);
  if (!arguments.only.empty()) keep_only(config.data, arguments.only);
  config.training.num_epochs = 1;
  config.training.steps_per_epoch = arguments.num_batches;
  log::quiet();  // the broken samples of 20,000 batches would fill the log
  const auto tokenizer = text::open_tokenizer(config.model.weights.language_model);
  const datasets::Mixture mixture(config.data, models::model_input(config.model), *tokenizer);
  const datasets::SampleOrder order = train::sample_order(config, mixture.sources());
  // More than are taken, so that the queue is full at the last reading as at the others.
  const std::int64_t end_step = arguments.num_batches + config.data.loader.queue_depth;
  datasets::Loader loader(order, mixture, {.end_step = end_step}, config.data.loader,
                          tokenizer->image_token());

  Endurance endurance{.unit = "batches", .run = {}, .readings = {}};
  ReadingPlan plan(arguments.first, arguments.every, arguments.num_batches);
  for (std::int64_t batch = 1; batch <= arguments.num_batches; ++batch) {
    loader.next();
    if (!plan.is_due(batch)) continue;
    plan.done(batch);
    wait_until_idle();  // the workers have filled the queue
    endurance.readings.push_back({batch, own_usage(), allocated_megabytes()});
  }
  const datasets::LoaderCounters counters = loader.counters();
  endurance.run = {{"config", arguments.run.config_file},
                   {"workers", config.data.loader.num_workers},
                   {"samples", counters.num_samples},
                   {"dropped", counters.num_dropped}};
  for (const auto& [reason, count] : counters.dropped_by_reason)
    endurance.run["dropped_by_reason"][reason] = count;
  conclude(endurance, arguments);
}

void measure_training(const EnduranceArguments& arguments) {
  const train::RunConfig config = read_config(arguments.run);
  const fs::path metrics = fs::path(config.output_dir) / "metrics.jsonl";
  if (fs::exists(metrics))
    throw UserError(fmt::format("'{}' exists: remove the folder or choose another output_dir",
                                metrics.string()));
  std::vector<std::string> command = {fs::read_symlink("/proc/self/exe"), "train",
                                      arguments.run.config_file};
  for (const std::string& text : arguments.run.overrides) {
    command.push_back("--set");
    command.push_back(text);
  }
  const std::int64_t num_steps = config.training.num_steps();
  ReadingPlan plan(arguments.first, arguments.every, num_steps - num_steps / 50);
  Endurance endurance{.unit = "steps", .run = {}, .readings = {}};
  WatchedProcess process(command);
  LineCounter lines(metrics);
  while (process.is_running()) {
    const std::int64_t num_done = lines.count();
    if (plan.is_due(num_done)) {
      plan.done(num_done);
      const auto usage = process.least_usage();
      // After its last step the process lets go of everything.
      if (usage && lines.count() < num_steps) endurance.readings.push_back({num_done, *usage, {}});
    }
    wait_between_looks();
  }
  if (process.exit_status() != 0 || endurance.readings.empty())
    throw RunFailure(fmt::format("the training ended with exit status {} after {} steps",
                                 process.exit_status(), lines.count()));
  endurance.run = {{"config", arguments.run.config_file}, {"steps", num_steps}};
  conclude(endurance, arguments);
}

void add_common(CLI::App& command, EnduranceArguments& arguments) {
  add_run_arguments(command, arguments.run);
  command.add_option("--from", arguments.first, "batches or steps before the first reading")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  command
      .add_option("--every", arguments.every, "batches or steps between readings; 0: 200 in all")
      ->check(CLI::NonNegativeNumber);
  command.add_option("--plot", arguments.plot, "SVG file to draw the readings into");
  command.add_flag("--json", arguments.as_json, "print JSON, with every reading");
}

}  // namespace

void add_bench_endurance(CLI::App& bench) {
  CLI::App* endurance = bench.add_subcommand(
      "endurance", "Open files, threads and memory over a long run; fails if any of them grows.");
  endurance->require_subcommand(1);
  endurance->footer(
      "Examples:\n  tools/endurance_data.sh\n"
      "  vllama bench endurance data configs/runs/endurance.yaml --batches 20000 --plot data.svg\n"
      "  vllama bench endurance training configs/runs/endurance.yaml --plot training.svg");

  const auto arguments = std::make_shared<EnduranceArguments>();
  CLI::App* data = endurance->add_subcommand(
      "data", "The batches of a run, through its loader, without its model.");
  add_common(*data, *arguments);
  data->add_option("--batches", arguments->num_batches, "batches to load")
      ->check(CLI::PositiveNumber)
      ->capture_default_str();
  data->add_option("--only", arguments->only, "the one data set to load from, by its name");
  data->callback([arguments] { measure_data(*arguments); });

  CLI::App* training =
      endurance->add_subcommand("training", "`vllama train` in a process of its own.");
  add_common(*training, *arguments);
  training->callback([arguments] { measure_training(*arguments); });
}

}  // namespace vllama::tools

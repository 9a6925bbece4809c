#include "tools/bench/scaling.h"

#include <ATen/ops/full.h>
#include <c10/core/DeviceGuard.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "distributed/device.h"
#include "tools/bench/device_clock.h"
#include "tools/bench/local_ranks.h"
#include "tools/bench/step_model.h"
#include "tools/command_line/enum_option.h"
#include "train/loop/trainer.h"
#include "train/watch/median.h"

namespace vllama::tools {
namespace {

using Json = nlohmann::ordered_json;

// Gradients of the vision branch for a 7B language model: 22,104,064 numbers.
constexpr std::int64_t kPublishedGradients = 22'104'064;

struct ScalingOptions {
  std::string size = "100m";
  distributed::DeviceChoice device = distributed::DeviceChoice::automatic;
  models::Precision precision = models::Precision::fp32;
  bench::BatchSizes batch{.num_clips = 2, .frames_per_clip = 8, .caption_tokens = 26};
  std::int64_t num_steps = 20, num_warmup_steps = 3, num_threads = 1, num_processes = 0;
  bool json = false;
};

// Where the time of one step of one rank went.
struct StepSeconds {
  double whole = 0;
  double waiting = 0;        // for slower ranks, between its gradients and theirs
  double communication = 0;  // the sum, all ranks being there
};

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double median_of(const std::vector<StepSeconds>& steps, double StepSeconds::*part) {
  std::vector<double> values;
  for (const StepSeconds& step : steps) values.push_back(step.*part);
  return train::median(std::move(values));
}

// Returns when all ranks have come here.
void meet(distributed::Communicator& ranks, at::Device device) {
  at::Tensor nothing = at::full({1}, 0, at::TensorOptions(device));
  ranks.sum(nothing, "meeting");
}

// Steps as training runs them, the ranks meeting right before their gradients are added up.
std::vector<StepSeconds> time_steps(const ScalingOptions& options, const train::RunConfig& config,
                                    models::VideoLlama& model, distributed::Communicator& ranks) {
  train::Trainer trainer(config, model, ranks);
  std::vector<StepSeconds> steps;
  for (std::int64_t step = 0; step < options.num_warmup_steps + options.num_steps; ++step) {
    const datasets::LoadedBatch loaded{
        bench::random_batch(model, options.batch, step * ranks.num_ranks() + ranks.rank()), {}};
    bench::wait_for(model.device());
    StepSeconds seconds;
    const double start = seconds_now(), before = ranks.seconds();
    const auto result = trainer.step(
        step, [&] { return loaded; },
        [&] {
          bench::wait_for(model.device());
          const double begin = seconds_now();
          meet(ranks, model.device());
          seconds.waiting = seconds_now() - begin;
          return train::RankReport{};
        });
    bench::wait_for(model.device());
    if (result.metrics.skipped) throw RunFailure("the step was not finite");
    seconds.whole = seconds_now() - start;
    seconds.communication = ranks.seconds() - before - seconds.waiting;
    if (ranks.num_ranks() == 1) seconds.waiting = seconds.communication = 0;
    if (step >= options.num_warmup_steps) steps.push_back(seconds);
  }
  return steps;
}

// The sum of a buffer like that of the published size, all ranks being there.
double published_sum_seconds(distributed::Communicator& ranks, at::Device device) {
  constexpr int kRepetitions = 11;
  at::Tensor buffer = at::full({kPublishedGradients}, 0, at::TensorOptions(device));
  std::vector<double> times;
  for (int i = 0; i < kRepetitions; ++i) {
    meet(ranks, device);
    const double start = seconds_now();
    ranks.sum(buffer, "sum of a buffer");
    bench::wait_for(device);
    times.push_back(seconds_now() - start);
  }
  return train::median(std::move(times));
}

Json report_of_rank(const std::vector<StepSeconds>& steps) {
  const double whole = median_of(steps, &StepSeconds::whole),
               waiting = median_of(steps, &StepSeconds::waiting),
               communication = median_of(steps, &StepSeconds::communication);
  std::vector<double> computing;
  for (const StepSeconds& step : steps)
    computing.push_back(step.whole - step.waiting - step.communication);
  return {{"seconds_per_step", whole},
          {"compute_seconds", train::median(std::move(computing))},
          {"waiting_seconds", waiting},
          {"communication_seconds", communication}};
}

void print_table(const Json& report) {
  std::cout << fmt::format("{} of {} ranks on {}, {} clips a rank and step, {} threads a rank\n",
                           report["config"].get<std::string>(), report["ranks"].dump(),
                           report["device"].get<std::string>(), report["clips_per_rank"].dump(),
                           report["threads_per_rank"].dump());
  std::cout << fmt::format("{:>4} {:>10} {:>12} {:>12} {:>16}\n", "rank", "step, ms", "compute",
                           "waiting", "communication");
  std::int64_t rank = 0;
  for (const Json& of_rank : report["by_rank"]) {
    const auto milliseconds = [&](const char* key) { return 1e3 * of_rank[key].get<double>(); };
    std::cout << fmt::format("{:>4} {:>10.1f} {:>12.1f} {:>12.1f} {:>16.2f}\n", rank++,
                             milliseconds("seconds_per_step"), milliseconds("compute_seconds"),
                             milliseconds("waiting_seconds"),
                             milliseconds("communication_seconds"));
  }
  std::cout << fmt::format(
      "{:.2f} clips per second; gradients of {:.1f} MB; a sum of 88.4 MB takes {:.1f} ms\n",
      report["clips_per_second"].get<double>(), report["gradient_megabytes"].get<double>(),
      1e3 * report["seconds_to_sum_88_megabytes"].get<double>());
}

Json measure(const ScalingOptions& options, distributed::Communicator& ranks, at::Device device) {
  train::RunConfig config;
  const auto sizes = bench::step_sizes(options.size);
  config.model.vision = sizes.vision;
  config.model.precision = options.precision;
  config.training.micro_batch_size = options.batch.num_clips;
  config.training.batch_size = options.batch.num_clips * ranks.num_ranks();
  const auto model = bench::random_model(config.model, sizes.language, device);
  const auto steps = time_steps(options, config, *model, ranks);
  const double sum_seconds = published_sum_seconds(ranks, device);
  const auto texts = ranks.gather(report_of_rank(steps).dump(), "figures of all ranks");
  if (!ranks.is_first()) return {};
  Json by_rank;
  for (const std::string& text : texts) by_rank.push_back(Json::parse(text));
  const auto clips = static_cast<double>(options.batch.num_clips * ranks.num_ranks());
  const auto num_trained = static_cast<double>(nn::num_elements(model->trainable_parameters()));
  return {{"config", options.size},
          {"device", device.str()},
          {"precision", config::name_of(options.precision)},
          {"ranks", ranks.num_ranks()},
          {"threads_per_rank", options.num_threads},
          {"clips_per_rank", options.batch.num_clips},
          {"clips_per_second", clips / by_rank[0]["seconds_per_step"].get<double>()},
          {"gradient_megabytes", num_trained * 4 / 1e6},
          {"seconds_to_sum_88_megabytes", sum_seconds},
          {"by_rank", by_rank}};
}

void run_as_rank(const ScalingOptions& options) {
  const distributed::Launch launch = distributed::read_launch();
  const at::Device device = distributed::chosen_device(options.device, launch);
  const c10::DeviceGuard guard(device);
  distributed::set_num_threads(options.num_threads, launch);
  distributed::Communicator ranks(launch, {}, device);
  try {
    const Json report = measure(options, ranks, device);
    ranks.leave();
    if (!ranks.is_first()) return;
    if (options.json)
      std::cout << report.dump(2) << "\n";
    else
      print_table(report);
  } catch (const std::exception& failure) {
    ranks.fail(failure.what());
    throw;
  }
}

}  // namespace

void add_bench_scaling(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "scaling",
      "Time training steps on several ranks, each with the same batch, on random weights and "
      "clips.");
  command->footer(
      "Examples:\n  vllama bench scaling --processes 2\n"
      "  torchrun --no-python --nproc-per-node 8 -- vllama bench scaling --config video-llama-7b "
      "--precision bf16 --batch 32\n\n"
      "The ranks meet before their gradients are added up: `waiting` is the time until the slowest "
      "has come,\n`communication` that of the sum itself, `compute` everything else. Medians over "
      "the steps.");
  const auto options = std::make_shared<ScalingOptions>();
  command->add_option("--config", options->size, "sizes of the model")
      ->check(CLI::IsMember(bench::step_size_names()))
      ->capture_default_str();
  const auto number = [&](const char* name, std::int64_t& value, const char* help,
                          std::int64_t least = 1) {
    command->add_option(name, value, help)
        ->check(CLI::Range(least, std::int64_t{1} << 20))
        ->capture_default_str();
  };
  number("--processes", options->num_processes,
         "ranks to start on this machine, unless a launcher started this one; 0: none", 0);
  number("--batch", options->batch.num_clips, "clips of a rank");
  number("--frames", options->batch.frames_per_clip, "frames of a clip");
  number("--steps", options->num_steps, "timed steps");
  number("--warmup", options->num_warmup_steps, "steps before them", 0);
  number("--threads", options->num_threads, "threads of CPU mathematics of a rank");
  add_enum_option(*command, "--precision", options->precision, "number format of the frozen parts");
  add_enum_option(*command, "--device", options->device, "auto takes a GPU when there is one");
  command->add_flag("--json", options->json, "one JSON object instead of a table");
  command->callback([options] {
    const bool is_launched = distributed::read_launch().launcher != "none";
    if (options->num_processes > 0 && !is_launched)
      run_as_local_ranks(options->num_processes);
    else
      run_as_rank(*options);
  });
}

}  // namespace vllama::tools

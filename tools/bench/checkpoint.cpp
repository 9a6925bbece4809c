#include "tools/bench/checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/rand.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <functional>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "distributed/device.h"
#include "models/video_llama.h"
#include "optim/adamw.h"
#include "tools/bench/device_clock.h"
#include "tools/bench/scratch_folder.h"
#include "tools/bench/step_model.h"
#include "tools/command_line/enum_option.h"
#include "train/loop/checkpoint_writer.h"
#include "train/loop/retention.h"
#include "train/watch/median.h"

namespace vllama::tools {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

struct CheckpointBenchmark {
  std::string size = "video-llama-7b";
  distributed::DeviceChoice device = distributed::DeviceChoice::automatic;
  fs::path folder = fs::temp_directory_path();
  std::int64_t num_saves = 5;
  bool json = false;
};

using Work = std::function<void()>;

double seconds_of(at::Device device, const Work& work) {
  using Clock = std::chrono::steady_clock;
  bench::wait_for(device);
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// What the named model trains, with its moments, as a trainer holds it.
class TrainedState {
 public:
  TrainedState(const std::string& size, at::Device device) {
    const c10::AutoGradMode no_graph(false);
    const auto sizes = bench::step_sizes(size);
    models::ModelConfig config;
    config.vision = sizes.vision;
    models::VideoLlama model(config, sizes.language);
    std::vector<optim::TrainedParameter> trained;
    for (const nn::Parameter& parameter : model.trainable_parameters())
      trained.push_back(
          {parameter.name, at::rand(parameter.shape, at::TensorOptions(device)),
           optim::decays(parameter.name, static_cast<std::int64_t>(parameter.shape.size()))});
    parameters_ = std::make_unique<optim::FlatParameters>(trained);
    optimizer_ = std::make_unique<optim::AdamW>(*parameters_, optim::AdamWConfig());
  }

  std::map<std::string, weights::NamedTensors> files() const {
    return {{"trainable", parameters_->named_parameters()}, {"optimizer", optimizer_->state()}};
  }
  std::int64_t num_bytes() const { return 3 * parameters_->flat_parameters().nbytes(); }

 private:
  std::unique_ptr<optim::FlatParameters> parameters_;
  std::unique_ptr<optim::AdamW> optimizer_;
};

// As training would if it wrote by itself.
double foreground_seconds(const CheckpointBenchmark& options, const fs::path& root,
                          const TrainedState& state, at::Device device) {
  std::vector<double> times;
  for (std::int64_t step = 1; step <= options.num_saves; ++step)
    times.push_back(seconds_of(device, [&] {
      checkpoint::save_step(
          root, step,
          {state.files(), {{train::kStateFile, train::state_text({.num_steps_done = step}, {})}}});
      train::remove_old_checkpoints(root, {}, step);
    }));
  return train::median(times);
}

// Seconds of a matrix product, repeated until `is_over`.
double product_seconds(at::Device device, const std::function<bool()>& is_over) {
  const std::int64_t side = device.is_cuda() ? 4096 : 512;
  const at::Tensor matrix = at::randn({side, side}, at::TensorOptions(device));
  std::vector<double> times;
  do {
    times.push_back(seconds_of(device, [&] {
      at::mm(matrix, matrix);
      bench::wait_for(device);
    }));
  } while (!is_over());
  return train::median(times);
}

struct Background {
  double first_pause = 0, pause = 0, to_disk = 0, slowdown = 0;
};

Background background_seconds(const CheckpointBenchmark& options, const fs::path& root,
                              const TrainedState& state, at::Device device) {
  train::CheckpointWriter writer(root, {}, {});
  std::vector<double> pauses, disk, slowdowns;
  const auto save = [&](std::int64_t step) {
    return seconds_of(device, [&] { writer.save({.num_steps_done = step}, state.files(), {}); });
  };
  Background result;
  result.first_pause = save(1);
  writer.wait();
  for (std::int64_t step = 2; step <= options.num_saves + 1; ++step) {
    pauses.push_back(save(step));
    disk.push_back(pauses.back() + seconds_of(device, [&] { writer.wait(); }));
  }
  for (std::int64_t i = 0; i < options.num_saves; ++i) {
    int num_products = 0;
    const double alone = product_seconds(device, [&] { return ++num_products >= 200; });
    save(100 + i);
    const double beside = product_seconds(device, [&] { return !writer.is_writing(); });
    slowdowns.push_back(beside / alone);
  }
  result.pause = train::median(pauses);
  result.to_disk = train::median(disk);
  result.slowdown = train::median(slowdowns);
  return result;
}

void run(const CheckpointBenchmark& options) {
  const at::Device device = distributed::chosen_device(options.device);
  const TrainedState state(options.size, device);
  const ScratchFolder folder(options.folder);
  const double foreground =
      foreground_seconds(options, folder.path() / "foreground", state, device);
  const fs::path root = folder.path() / "background";
  const Background background = background_seconds(options, root, state, device);
  const double load = seconds_of(device, [&] { checkpoint::load_newest_step(root); });
  const Json result = {{"config", options.size},
                       {"device", device.str()},
                       {"megabytes", static_cast<double>(state.num_bytes()) / 1e6},
                       {"foreground_pause_seconds", foreground},
                       {"first_pause_seconds", background.first_pause},
                       {"pause_seconds", background.pause},
                       {"pause_ratio", foreground / background.pause},
                       {"seconds_until_on_disk", background.to_disk},
                       {"slowdown_while_writing", background.slowdown},
                       {"load_and_verify_seconds", load}};
  if (options.json) {
    fmt::print("{}\n", result.dump());
    return;
  }
  for (const auto& [name, value] : result.items())
    fmt::print(
        "{:<28} {}\n", name,
        value.is_string() ? value.get<std::string>() : fmt::format("{:.4g}", value.get<double>()));
}

}  // namespace

void add_bench_checkpoint(CLI::App& bench) {
  const auto options = std::make_shared<CheckpointBenchmark>();
  CLI::App* command = bench.add_subcommand(
      "checkpoint", "How long training pauses for a checkpoint, and how long the disk takes.");
  command->add_option("--config", options->size, "sizes of the model whose trained part is saved")
      ->check(CLI::IsMember(bench::step_size_names()))
      ->capture_default_str();
  command->add_option("--folder", options->folder, "where to write; all of it is removed again")
      ->check(CLI::ExistingDirectory)
      ->capture_default_str();
  command->add_option("--saves", options->num_saves, "timed saves of each kind")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  add_enum_option(*command, "--device", options->device, "auto takes a GPU when there is one");
  command->add_flag("--json", options->json, "print one JSON object");
  command->footer(
      "Example:\n  vllama bench checkpoint --folder /data/runs --json\n\n"
      "foreground: training writes by itself; pause: it copies, and a thread writes. Medians.\n"
      "slowdown: a matrix product beside the thread against the same alone.");
  command->callback([options] { run(*options); });
}

}  // namespace vllama::tools

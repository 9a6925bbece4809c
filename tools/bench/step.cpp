#include "tools/bench/step.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/randn.h>
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "distributed/device.h"
#include "models/flops.h"
#include "nn/linear_kernel.h"
#include "optim/gradient_norm.h"
#include "tools/bench/device_clock.h"
#include "tools/bench/step_model.h"
#include "tools/command_line/enum_option.h"
#include "train/loop/trainer.h"
#include "train/watch/median.h"

namespace vllama::tools {
namespace {

using bench::wait_for;
using Json = nlohmann::ordered_json;

struct StepOptions {
  std::string size = "100m";
  distributed::DeviceChoice device = distributed::DeviceChoice::automatic;
  models::Precision precision = models::Precision::fp32;
  bench::BatchSizes batch{.num_clips = 4, .frames_per_clip = 8, .caption_tokens = 26};
  std::int64_t num_steps = 10, num_warmup_steps = 2;
  int num_threads = 0;
  bool recompute = false, json = false;
};

// Collects, by name, the times between laps.
class Stopwatch {
 public:
  explicit Stopwatch(at::Device device) : device_(device) {}

  void start() {
    wait_for(device_);
    last_ = Clock::now();
  }
  void lap(const std::string& name) {
    wait_for(device_);
    const auto now = Clock::now();
    laps_[name].push_back(std::chrono::duration<double>(now - last_).count());
    last_ = now;
  }
  void forget() { laps_.clear(); }

  double median(const std::string& name) const { return train::median(laps_.at(name)); }

 private:
  using Clock = std::chrono::steady_clock;
  at::Device device_;
  Clock::time_point last_;
  std::map<std::string, std::vector<double>> laps_;
};

// Runs `step(number, stopwatch)` for the warm-up and the timed steps.
template <class Step>
Stopwatch timed(const StepOptions& options, at::Device device, const Step& step) {
  Stopwatch watch(device);
  for (std::int64_t i = 0; i < options.num_warmup_steps + options.num_steps; ++i) {
    if (i == options.num_warmup_steps) watch.forget();
    step(i, watch);
  }
  return watch;
}

// The step as training runs it.
Stopwatch time_whole_step(const StepOptions& options, const train::RunConfig& config,
                          models::VideoLlama& model) {
  distributed::Communicator one_rank;
  train::Trainer trainer(config, model, one_rank);
  return timed(options, model.device(), [&](std::int64_t step, Stopwatch& watch) {
    datasets::LoadedBatch loaded{bench::random_batch(model, options.batch, step), {}};
    watch.start();
    const auto result = trainer.step(step, [&] { return loaded; });
    watch.lap("step");
    if (result.metrics.skipped) throw RunFailure("the step was not finite");
  });
}

// Decoder, loss and their gradients; those of the media arrive in media_MH.grad().
void language_stages(models::VideoLlama& model, const samples::Batch& batch,
                     const at::Tensor& media_MH, Stopwatch& watch) {
  const language::Llama& llama = model.language_model();
  const at::Tensor hidden_TH =
      llama.hidden(model.spliced_inputs(batch, {media_MH}), nn::Segments(batch.sequence_lengths),
                   model.config().recompute_layers);
  watch.lap("language_forward");
  const at::Tensor places_N = batch.labels_T.ge(0).nonzero().flatten();
  const at::Tensor rows_N = places_N.sub(1).to(model.device());
  const at::Tensor targets_N = batch.labels_T.index_select(0, places_N).to(model.device());
  nn::token_loss(llama.final_norm(hidden_TH.index_select(0, rows_N)), llama.head(), targets_N,
                 model.config().loss_rows_at_once, nn::Gradients::accumulate);
  watch.lap("loss_and_language_backward");
}

// The frozen encoder and both Q-Formers -> media embeddings.
at::Tensor vision_stages(models::VideoLlama& model, const samples::Batch& batch,
                         const nn::Dropout& dropout, Stopwatch& watch) {
  const models::Branch& vision = model.branches().front();
  const auto& group = batch.media.at(0);
  at::Tensor frame_queries;
  {
    const at::AutoGradMode no_graph(false);
    const encoders::Encoder& encoder = *vision.encoders().front();
    const at::Tensor tokens_RE = encoder(encoder.prepared(group.values.to(model.device())));
    watch.lap("vision");
    frame_queries = (*vision.resampler())(
        tokens_RE, nn::Segments::equal(group.values.size(0), encoder.tokens_per_unit()));
  }
  const at::Tensor media_MH = vision.embed(frame_queries, group.extents, dropout);
  watch.lap("q_formers_forward");
  return media_MH;
}

// The same step with its stages apart: the media embeddings are a leaf between two backward passes,
// and all frames pass the encoder at once.
Stopwatch time_stages(const StepOptions& options, const train::RunConfig& config,
                      models::VideoLlama& model) {
  std::vector<optim::TrainedParameter> trained;
  for (const nn::Parameter& parameter : model.trainable_parameters())
    trained.push_back({parameter.name, *parameter.tensor,
                       optim::decays(parameter.name, parameter.tensor->dim())});
  optim::FlatParameters parameters(trained);
  optim::AdamW optimizer(parameters, config.optimizer);
  return timed(options, model.device(), [&](std::int64_t step, Stopwatch& watch) {
    const auto batch = bench::random_batch(model, options.batch, step);
    const auto& group = batch.media.at(0);
    const nn::Dropout dropout(config.model.dropout, group.dropout_keys, model.device());
    watch.start();
    parameters.zero_gradients();
    const at::Tensor media_MH = vision_stages(model, batch, dropout, watch);
    const at::Tensor leaf_MH = media_MH.detach().requires_grad_(true);
    language_stages(model, batch, leaf_MH, watch);
    media_MH.backward(leaf_MH.grad());
    watch.lap("q_former_backward");
    parameters.flat_gradients().div_(static_cast<double>(batch.num_targets));
    optim::gradient_norm(parameters.flat_gradients());
    optimizer.step(config.schedule.peak_learning_rate);
    watch.lap("optimizer");
  });
}

// Operations a second of one large matrix product: what to measure a step against.
double matrix_product_rate(at::ScalarType dtype, at::Device device) {
  const std::int64_t side = device.is_cuda() ? 8192 : 2048;
  const at::Tensor a = at::randn({side, side}, at::TensorOptions(device).dtype(dtype));
  Stopwatch watch(device);
  for (int repetition = 0; repetition < 12; ++repetition) {
    if (repetition == 2) watch.forget();
    watch.start();
    nn::linear_product(a, a);
    watch.lap("product");
  }
  const auto size = static_cast<double>(side);
  return 2 * size * size * size / watch.median("product");
}

std::int64_t peak_resident_bytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss * 1024;
}

models::StepFlops flops_of(models::VideoLlama& model, const StepOptions& options) {
  const auto batch = bench::random_batch(model, options.batch, 0);
  return models::step_flops(
      model.branches().front(), model.language_model().config(),
      {{batch.media.at(0).extents}, batch.sequence_lengths, batch.num_targets});
}

Json report(const StepOptions& options, const train::RunConfig& config, models::VideoLlama& model) {
  const Stopwatch whole = time_whole_step(options, config, model);
  // Before the other measurements, which are no part of training.
  const std::int64_t device_bytes = bench::peak_device_bytes(model.device());
  const std::int64_t resident_bytes = peak_resident_bytes();
  const Stopwatch stages = time_stages(options, config, model);
  Json seconds;
  for (const char* stage : {"vision", "q_formers_forward", "language_forward",
                            "loss_and_language_backward", "q_former_backward", "optimizer"})
    seconds[stage] = stages.median(stage);
  seconds["communication"] = 0.0;  // one process
  const double step = whole.median("step"), flops = flops_of(model, options).total();
  const double possible =
      matrix_product_rate(model.language_model().head().scalar_type(), model.device());
  return {{"config", options.size},
          {"device", model.device().str()},
          {"precision", config::name_of(options.precision)},
          {"threads", at::get_num_threads()},
          {"clips", options.batch.num_clips},
          {"frames_per_clip", options.batch.frames_per_clip},
          {"caption_tokens", options.batch.caption_tokens},
          {"num_parameters", bench::num_parameters(model)},
          {"num_trained", nn::num_elements(model.trainable_parameters())},
          {"seconds_per_step", step},
          {"clips_per_second", static_cast<double>(options.batch.num_clips) / step},
          {"seconds", seconds},
          {"model_flops_per_step", flops},
          {"tflops_per_second", flops / step / 1e12},
          {"matrix_product_tflops_per_second", possible / 1e12},
          {"share_of_matrix_product_rate", flops / step / possible},
          {"peak_resident_bytes", resident_bytes},
          {"peak_device_bytes", device_bytes}};
}

void print_members(const Json& object, const std::string& indent = "") {
  for (const auto& [name, value] : object.items()) {
    if (value.is_object()) {
      std::cout << indent << name << "\n";
      print_members(value, indent + "  ");
    } else {
      std::cout << fmt::format("{}{:<{}} {}\n", indent, name, 36 - indent.size(),
                               value.is_number_float() ? fmt::format("{:.5g}", value.get<double>())
                               : value.is_string()     ? value.get<std::string>()
                                                       : value.dump());
    }
  }
}

void bench_step(const StepOptions& options) {
  if (options.num_threads > 0) at::set_num_threads(options.num_threads);
  at::manual_seed(1);
  const auto sizes = bench::step_sizes(options.size);
  train::RunConfig config;
  config.model.vision = sizes.vision;
  config.model.precision = options.precision;
  config.model.recompute_layers = options.recompute;
  const auto model =
      bench::random_model(config.model, sizes.language, distributed::chosen_device(options.device));
  const Json result = report(options, config, *model);
  if (options.json)
    std::cout << result.dump(2) << "\n";
  else
    print_members(result);
}

}  // namespace

void add_bench_step(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "step", "Time one optimizer step, on random weights, frames and captions.");
  command->footer(
      "Example:\n  vllama bench step --config video-llama-7b --precision bf16 --batch 32\n\n"
      "seconds_per_step is measured on the step as training runs it; the times below it on the "
      "same "
      "step, stage\nby stage. Operations are counted from the sizes, without padding.");
  const auto options = std::make_shared<StepOptions>();
  command->add_option("--config", options->size, "sizes of the model")
      ->check(CLI::IsMember(bench::step_size_names()))
      ->capture_default_str();
  const auto number = [&](const char* name, auto& value, const char* help, std::int64_t least = 1) {
    command->add_option(name, value, help)
        ->check(CLI::Range(least, std::int64_t{1} << 20))
        ->capture_default_str();
  };
  number("--batch", options->batch.num_clips, "clips");
  number("--frames", options->batch.frames_per_clip, "frames of a clip");
  number("--caption-tokens", options->batch.caption_tokens, "tokens to learn of each clip");
  number("--steps", options->num_steps, "timed steps");
  number("--warmup", options->num_warmup_steps, "steps before them", 0);
  number("--threads", options->num_threads, "threads of CPU mathematics; 0: one per core", 0);
  add_enum_option(*command, "--precision", options->precision, "number format of the frozen parts");
  add_enum_option(*command, "--device", options->device, "auto takes a GPU when there is one");
  command->add_flag("--recompute", options->recompute,
                    "keep only the inputs of language-model layers for the backward pass");
  command->add_flag("--json", options->json, "one JSON object instead of a table");
  command->callback([options] { bench_step(*options); });
}

}  // namespace vllama::tools

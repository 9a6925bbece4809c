#include "tools/bench/generate.h"

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/hash.h"
#include "core/stopwatch.h"
#include "distributed/device.h"
#include "inference/generate/generator.h"
#include "tools/bench/device_clock.h"
#include "tools/bench/step_model.h"
#include "tools/command_line/enum_option.h"
#include "train/watch/median.h"
#include "weights/write.h"

namespace vllama::tools {
namespace {

using Json = nlohmann::ordered_json;
using Clock = std::chrono::steady_clock;

constexpr std::int64_t kBos = 1, kFirstPlainToken = 3;

struct GenerateOptions {
  std::string size = "100m", save_model;
  distributed::DeviceChoice device = distributed::DeviceChoice::automatic;
  models::Precision precision = models::Precision::fp32;
  std::int64_t batch = 1, prompt_tokens = 64, new_tokens = 128, num_rounds = 3;
  int num_threads = 0;
  bool json = false;
};

language::LlamaConfig language_sizes(const std::string& name) {
  if (name == "7b") return {};
  language::LlamaConfig config;
  const bool is_tiny = name == "tiny";
  config.vocabulary_size = is_tiny ? 1000 : 32000;
  config.width = is_tiny ? 64 : 640;
  config.mlp_width = is_tiny ? 172 : 1728;
  config.num_layers = is_tiny ? 2 : 12;
  config.num_heads = is_tiny ? 4 : 10;
  config.num_key_value_heads = config.num_heads;
  config.head_width = config.width / config.num_heads;
  return config;
}

// Tokens without meaning, the same in generate_peer.py.
std::vector<inference::Prompt> some_prompts(const language::Llama& model,
                                            const GenerateOptions& options) {
  const std::int64_t num_plain = model.config().vocabulary_size - kFirstPlainToken;
  std::vector<inference::Prompt> prompts;
  for (std::int64_t i = 0; i < options.batch; ++i) {
    std::vector<std::int64_t> ids{kBos};
    while (std::ssize(ids) < options.prompt_tokens)
      ids.push_back(kFirstPlainToken + (i * 7919 + std::ssize(ids) * 104729) % num_plain);
    prompts.push_back(inference::make_prompt(model, {{ids}}, {}));
  }
  return prompts;
}

struct Timing {
  double whole_seconds, step_seconds;  // of all answers; of one step after the first
  std::uint64_t hash;                  // of all tokens
};

Timing time_answers(const inference::Generator& generator,
                    std::span<const inference::Prompt> prompts, const GenerateOptions& options) {
  Clock::time_point first;
  std::int64_t num_calls = 0;
  const auto begin = Clock::now();
  const auto answers = generator(prompts, [&](std::size_t, std::string_view) {
    if (++num_calls == options.batch) first = Clock::now();
    return true;
  });
  const double whole = seconds_since(begin);
  const double steps = seconds_since(first);
  std::string tokens;
  for (const inference::Answer& answer : answers)
    for (const std::int64_t id : answer.ids) tokens += std::to_string(id) + " ";
  return {whole, steps / static_cast<double>(std::max<std::int64_t>(options.new_tokens - 1, 1)),
          fnv1a(tokens)};
}

// What a step must at least read: all matrices but the embedding table, and the mean length of the
// caches.
double bytes_per_step(const language::LlamaConfig& config, const nn::ParameterList& parameters,
                      at::ScalarType dtype, const GenerateOptions& options) {
  std::int64_t numbers = 0;
  for (const nn::Parameter& parameter : parameters)
    if (config.tied_embeddings || !parameter.name.ends_with("embed_tokens.weight"))
      numbers += parameter.num_elements();
  const std::int64_t per_position =
      2 * config.num_layers * config.num_key_value_heads * config.head_width;
  numbers += options.batch * per_position * (options.prompt_tokens + options.new_tokens / 2);
  return static_cast<double>(numbers) * static_cast<double>(at::elementSize(dtype));
}

// Bytes a second that the device reads and writes in copying something much larger than its caches.
double memory_bandwidth(at::Device device) {
  const std::int64_t num_bytes = device.is_cuda() ? std::int64_t{4} << 30 : std::int64_t{1} << 29;
  const at::Tensor from = at::empty({num_bytes / 4}, at::TensorOptions(device)).fill_(1);
  const at::Tensor to = at::empty_like(from);
  std::vector<double> times;
  for (int repetition = 0; repetition < 6; ++repetition) {
    bench::wait_for(device);
    const auto begin = Clock::now();
    to.copy_(from);
    bench::wait_for(device);
    times.push_back(seconds_since(begin));
  }
  return 2 * static_cast<double>(num_bytes) / *std::ranges::min_element(times);
}

void save_model(const language::LlamaConfig& config, const nn::ParameterList& parameters,
                const std::string& folder) {
  weights::NamedTensors tensors;
  for (const nn::Parameter& parameter : parameters)
    tensors.emplace(parameter.name, *parameter.tensor);
  weights::write_hf_folder(folder, language::to_config_json(config), tensors);
}

Json measure(const GenerateOptions& options) {
  const at::Device device = distributed::chosen_device(options.device);
  const at::ScalarType dtype = models::frozen_type(options.precision);
  const language::LlamaConfig config = language_sizes(options.size);
  language::Llama model(config);
  nn::ParameterList parameters;
  model.declare(parameters);
  bench::draw_weights(parameters, dtype, device);
  model.prepare(dtype, device);
  if (!options.save_model.empty()) save_model(config, parameters, options.save_model);

  const inference::StopRules no_stops;
  const inference::Generator generator(model, no_stops, {.max_new_tokens = options.new_tokens});
  const at::AutoGradMode no_graph(false);
  const auto prompts = some_prompts(model, options);
  time_answers(generator, prompts, options);  // warms up
  std::vector<double> whole, step;
  std::uint64_t hash = 0;
  for (std::int64_t i = 0; i < options.num_rounds; ++i) {
    const Timing timing = time_answers(generator, prompts, options);
    whole.push_back(timing.whole_seconds);
    step.push_back(timing.step_seconds);
    hash = timing.hash;
  }
  const double bandwidth = memory_bandwidth(device);
  const double read = bytes_per_step(config, parameters, dtype, options) / train::median(step);
  const auto num_rows = static_cast<double>(options.batch);
  return {{"config", options.size},
          {"device", device.str()},
          {"precision", config::name_of(options.precision)},
          {"threads", at::get_num_threads()},
          {"num_parameters", nn::num_elements(parameters)},
          {"batch", options.batch},
          {"prompt_tokens", options.prompt_tokens},
          {"new_tokens", options.new_tokens},
          {"seconds", train::median(whole)},
          {"tokens_per_second",
           num_rows * static_cast<double>(options.new_tokens) / train::median(whole)},
          {"seconds_per_step", train::median(step)},
          {"step_tokens_per_second", num_rows / train::median(step)},
          {"step_bytes_per_second", read},
          {"memory_bytes_per_second", bandwidth},
          {"share_of_memory_bandwidth", read / bandwidth},
          {"token_hash", fmt::format("{:016x}", hash)}};
}

void bench_generate(const GenerateOptions& options) {
  if (options.num_threads > 0) at::set_num_threads(options.num_threads);
  at::manual_seed(1);
  const Json result = measure(options);
  if (options.json) {
    std::cout << result.dump(2) << "\n";
    return;
  }
  for (const auto& [name, value] : result.items())
    std::cout << fmt::format("{:<28}{}\n", name,
                             value.is_number_float() ? fmt::format("{:.5g}", value.get<double>())
                             : value.is_string()     ? value.get<std::string>()
                                                     : value.dump());
}

}  // namespace

void add_bench_generate(CLI::App& bench) {
  CLI::App* command = bench.add_subcommand(
      "generate", "Time greedy answers of a language model with random weights.");
  command->footer(
      "Example:\n  vllama bench generate --config 100m --batch 8\n\n"
      "tokens_per_second counts reading the prompts, step_tokens_per_second does not. A step reads "
      "every weight once and the caches: step_bytes_per_second, compared with what the device "
      "copies.\ntools/bench/compare_generate.py runs the same weights and prompts through "
      "transformers.");
  const auto options = std::make_shared<GenerateOptions>();
  command->add_option("--config", options->size, "sizes of the language model")
      ->check(CLI::IsMember({"tiny", "100m", "7b"}))
      ->capture_default_str();
  const auto number = [&](const char* name, auto& value, const char* help, std::int64_t least = 1) {
    command->add_option(name, value, help)
        ->check(CLI::Range(least, std::int64_t{1} << 10))
        ->capture_default_str();
  };
  number("--batch", options->batch, "prompts answered together");
  number("--prompt-tokens", options->prompt_tokens, "length of a prompt");
  number("--new-tokens", options->new_tokens, "length of an answer");
  number("--rounds", options->num_rounds, "timed repetitions, of which the median counts");
  number("--threads", options->num_threads, "threads of CPU mathematics; 0: one per core", 0);
  add_enum_option(*command, "--precision", options->precision, "number format of the weights");
  add_enum_option(*command, "--device", options->device, "auto takes a GPU when there is one");
  command->add_option("--save-model", options->save_model,
                      "also write the weights as a Hugging Face folder");
  command->add_flag("--json", options->json, "one JSON object instead of a table");
  command->callback([options] { bench_generate(*options); });
}

}  // namespace vllama::tools

#include "tools/bench/data.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/random.h"
#include "core/stopwatch.h"
#include "datasets/loading/loader.h"
#include "datasets/loading/mixture.h"
#include "datasets/readers/webvid.h"
#include "models/model_input.h"
#include "text/tokenizers/open_tokenizer.h"
#include "tools/bench/process_usage.h"
#include "tools/bench/scratch_folder.h"
#include "tools/command_line/run_arguments.h"

namespace vllama::tools {
namespace fs = std::filesystem;
namespace {

using Report = nlohmann::ordered_json;

void print(const Report& report, bool as_json) {
  if (as_json) {
    std::cout << report.dump(2) << "\n";
    return;
  }
  for (const auto& [name, value] : report.items())
    std::cout << fmt::format(
        "{:<36} {}\n", name,
        value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : value.dump());
}

// Rows as long as those of WebVid-2M: about 260 bytes, every fourth caption with a comma.
void write_annotations(const fs::path& path, std::int64_t num_rows) {
  static constexpr const char* kWords[] = {"aerial", "view",  "of",      "the",   "mountains",
                                           "young",  "woman", "walking", "beach", "sunset",
                                           "city",   "time",  "lapse",   "green", "background"};
  std::ofstream file(path, std::ios::binary);
  file << "videoid,name,page_idx,page_dir,duration,contentUrl\n";
  RandomStream stream(1);
  for (std::int64_t row = 0; row < num_rows; ++row) {
    std::string caption;
    for (std::uint64_t left = 6 + stream.below(14); left > 0; --left)
      caption +=
          fmt::format("{}{}", caption.empty() ? "" : " ", kWords[stream.below(std::size(kWords))]);
    const bool is_quoted = row % 4 == 0;
    file << fmt::format(
        "{},{}{}{},{},{:06}_{:06},PT00H00M14S,https://example.org/shutterstock/videos/{}/preview/"
        "stock-footage-a-long-name-with-many-words-of-the-caption-in-it-{}.mp4\n",
        1000000000 + row, is_quoted ? "\"a, " : "", caption, is_quoted ? "\"" : "", row % 70000,
        row / 50 * 50 + 1, row / 50 * 50 + 50, 1000000000 + row, row);
  }
}

Report bench_index(std::int64_t num_rows) {
  const ScratchFolder folder(fs::temp_directory_path());
  const fs::path csv = folder.path() / "rows.csv";
  write_annotations(csv, num_rows);
  const auto indexes = datasets::IndexFolder::open(folder.path() / "indexes");
  Report report = {{"rows", num_rows},
                   {"file_megabytes", static_cast<double>(fs::file_size(csv)) / 1048576.0}};
  for (const char* kind : {"build", "open"}) {
    std::ofstream("/proc/self/clear_refs") << "5";  // peak memory counts from here
    const double resident_before = status_megabytes("/proc/self/status", "VmRSS:");
    const auto start = std::chrono::steady_clock::now();
    const datasets::WebVid dataset(csv, "videos", indexes);
    report[fmt::format("{}_seconds", kind)] = seconds_since(start);
    report[fmt::format("{}_peak_growth_megabytes", kind)] =
        status_megabytes("/proc/self/status", "VmHWM:") - resident_before;

    constexpr std::int64_t kReads = 20000;
    RandomStream stream(2);
    const auto read_start = std::chrono::steady_clock::now();
    for (std::int64_t i = 0; i < kReads; ++i)
      dataset.record(
          static_cast<std::int64_t>(stream.below(static_cast<std::uint64_t>(dataset.size()))));
    report[fmt::format("{}_microseconds_per_random_row", kind)] =
        1e6 * seconds_since(read_start) / static_cast<double>(kReads);
    report[fmt::format("{}_growth_after_reads_megabytes", kind)] =
        status_megabytes("/proc/self/status", "VmRSS:") - resident_before;
  }
  return report;
}

struct RecipeArguments {
  RunArguments run;
  std::int64_t num_samples = 64, num_workers = 1;
};

// Each stage as a share of the workers' time, and per example.
void add_stages(Report& report, const samples::StageSeconds& stages, double num_built) {
  const std::pair<const char*, double> parts[] = {{"decode", stages.decode},
                                                  {"crop_resize", stages.pixels},
                                                  {"sound", stages.sound},
                                                  {"text", stages.text}};
  for (const auto& [name, seconds] : parts)
    report[fmt::format("milliseconds_{}", name)] = 1e3 * seconds / num_built;
  for (const auto& [name, seconds] : parts)
    report[fmt::format("share_{}", name)] = seconds / stages.total();
}

// The whole data path of a run, without its model.
Report bench_recipe(const RecipeArguments& arguments) {
  const train::RunConfig run = read_config(arguments.run);
  const auto tokenizer = text::open_tokenizer(run.model.weights.language_model);
  const datasets::Mixture mixture(run.data, models::model_input(run.model), *tokenizer);
  // Small steps, so that few samples hold the mixture of the run.
  constexpr std::int64_t kBatch = 4;
  const datasets::SampleOrder order(mixture.sources(),
                                    {.samples_per_step = kBatch, .seed = run.seed});
  const std::int64_t num_batches = (arguments.num_samples + kBatch - 1) / kBatch;

  const double processor_before = processor_seconds();
  const auto start = std::chrono::steady_clock::now();
  datasets::Loader loader(
      order, mixture, {.end_step = num_batches},
      {.num_workers = arguments.num_workers, .queue_depth = 2 * arguments.num_workers + 2},
      tokenizer->image_token());
  for (std::int64_t i = 0; i < num_batches; ++i) loader.next();
  const double seconds = seconds_since(start);
  const double processor = processor_seconds() - processor_before;
  const datasets::LoaderCounters counters = loader.counters();
  const std::int64_t num_built = counters.num_samples - counters.num_dropped;
  if (num_built == 0) throw RunFailure("every sample was dropped; the log says why");
  const auto built = static_cast<double>(num_built);
  Report report = {
      {"run", arguments.run.config_file},       {"examples", num_built},
      {"dropped", counters.num_dropped},        {"workers", arguments.num_workers},
      {"examples_per_second", built / seconds}, {"examples_per_core_second", built / processor}};
  add_stages(report, counters.build_seconds, built);
  return report;
}

}  // namespace

void add_bench_data(CLI::App& bench) {
  CLI::App* data = bench.add_subcommand("data", "Speed of indexing annotations and of examples.");
  data->require_subcommand(1);
  data->footer(
      "Examples:\n  vllama bench data index --rows 2500000\n"
      "  vllama bench data recipe configs/runs/demo_vision_stage1.yaml --workers 2");
  const auto as_json = std::make_shared<bool>(false);
  const auto num_rows = std::make_shared<std::int64_t>(2'500'000);

  CLI::App* index = data->add_subcommand("index", "Indexes a made-up WebVid CSV file.");
  index->add_option("--rows", *num_rows, "rows of the file")->check(CLI::PositiveNumber);
  index->add_flag("--json", *as_json, "print JSON");
  index->callback([=] { print(bench_index(*num_rows), *as_json); });

  const auto arguments = std::make_shared<RecipeArguments>();
  CLI::App* recipe =
      data->add_subcommand("recipe", "Builds the examples of a run: decode, resize, tokenize.");
  add_run_arguments(*recipe, arguments->run);
  recipe->add_option("--samples", arguments->num_samples, "examples to build")
      ->check(CLI::PositiveNumber);
  recipe->add_option("--workers", arguments->num_workers, "threads, 0 for the calling one")
      ->check(CLI::Range(0, 1024));
  recipe->add_flag("--json", *as_json, "print JSON");
  recipe->callback([=] { print(bench_recipe(*arguments), *as_json); });
}

}  // namespace vllama::tools

#include "train/check/check.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <ranges>
#include <set>

#include "core/error.h"
#include "datasets/mixing.h"
#include "eval/model_input.h"
#include "models/file_sizes.h"
#include "models/load_video_llama.h"
#include "train/find_step.h"
#include "train/number_text.h"
#include "train/safe_text.h"
#include "train/sample_order.h"
#include "train/shared_language_model.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

RunConfig with_sizes(RunConfig config) {
  config.model = models::with_sizes_of_files(std::move(config.model));
  return config;
}

class Check {
 public:
  Check(const RunConfig& config, const CheckOptions& options)
      : given_(config),
        config_(config),
        options_(options),
        language_folder_(config.model.weights.language_model) {}

  CheckReport run() {
    attempt([this] { find_starting_points(given_.model.weights); });
    config_ = with_sizes(given_);
    check_output_folder();
    check_tokenizer();
    check_model();
    check_data();
    make_plan();
    return std::move(report_);
  }

 private:
  void add(const std::string& problem) {
    if (std::ranges::find(report_.problems, problem) == report_.problems.end())
      report_.problems.push_back(problem);
  }

  // Calls `action`; the user's mistakes become problems.
  template <class Action>
  void attempt(Action&& action) {
    try {
      action();
    } catch (const UserError& error) {
      add(error.what());
    }
  }

  // Without creating anything.
  void check_output_folder() {
    fs::path folder = fs::absolute(config_.output_dir);
    while (!fs::exists(fs::symlink_status(folder)) && folder.has_relative_path())
      folder = folder.parent_path();
    if (!fs::is_directory(folder))
      add(fmt::format("output_dir '{}': '{}' is in the way and no folder; choose another",
                      config_.output_dir, folder.string()));
    else if (::access(folder.c_str(), W_OK | X_OK) != 0)
      add(fmt::format("output_dir '{}': the folder '{}' cannot be written; choose another",
                      config_.output_dir, folder.string()));
  }

  void check_tokenizer() {
    attempt([this] { tokenizer_.emplace(language_folder_ / "tokenizer.model"); });
  }

  void check_model() {
    attempt([this] { language_ = models::read_llama_config(language_folder_ / "config.json"); });
    if (language_ && tokenizer_)
      attempt([this] {
        models::check_vocabulary(*language_, tokenizer_->size(), language_folder_.string());
      });
    attempt([this] { check_sharing(config_); });
    attempt([this] {
      for (const std::string& problem : models::check_weights(given_.model)) add(problem);
    });
  }

  void check_data() {
    check_names();
    if (language_) attempt([this] { check_longest_sequence(config_, *language_); });
    const SampleLimits limits{eval::model_input(config_.model),
                              language_ ? language_->max_positions : 0};
    for (std::size_t i = 0; i < config_.data.sets.size(); ++i) {
      report_.datasets.push_back(
          check_dataset(config_, i, limits, tokenizer_ ? &*tokenizer_ : nullptr, options_));
      add_problems(report_.datasets.back(), config_.data.sets[i]);
    }
    attempt([this] { order(); });
  }

  void check_names() {
    if (config_.data.sets.empty()) add("data.sets: the list of data sets is empty");
    std::set<std::string> names;
    for (const auto& set : config_.data.sets)
      if (!names.insert(set.name).second)
        add(fmt::format("data.sets: two data sets are called '{}'; rename one", set.name));
  }

  // Data sets that could not be opened count as one record.
  datasets::SampleOrder order() const {
    std::vector<datasets::SampleOrder::Source> sources;
    for (std::size_t i = 0; i < report_.datasets.size(); ++i)
      sources.push_back({std::max<std::int64_t>(1, report_.datasets[i].num_records),
                         datasets::share_of(config_.data.sets[i])});
    return sample_order(config_, std::move(sources));
  }

  static std::string places(const RecordList& list) {
    constexpr std::size_t kMaxShown = 3;
    std::string text;
    for (std::size_t i = 0; i < std::min(list.first.size(), kMaxShown); ++i) {
      const RecordPlace& place = list.first[i];
      text += fmt::format("\n  record {} ({}){}{}", place.index, visible(place.id),
                          place.detail.empty() ? "" : ": ", visible(place.detail));
    }
    if (list.count > static_cast<std::int64_t>(kMaxShown)) text += "\n  ...";
    return text;
  }

  void add_problems(const DatasetFindings& found, const datasets::DatasetConfig& set) {
    const std::string name = fmt::format("data set {}", found.name);
    for (const std::string& error : found.errors) add(error);
    if (found.invalid.total() > 0) {
      std::string entries;
      constexpr std::size_t kMaxShown = 3;
      for (const auto& entry : found.invalid.listed() | std::views::take(kMaxShown))
        entries += fmt::format("\n  {}: {}", entry.place, entry.reason);
      add(fmt::format("{}: {} invalid entries would be left out; mend or remove them: {}{}{}", name,
                      found.invalid.total(), found.invalid.summary(), entries,
                      found.invalid.total() > std::ssize(found.invalid.listed()) ||
                              found.invalid.listed().size() > kMaxShown
                          ? "\n  ..."
                          : ""));
    }
    if (found.missing.count > 0)
      add(
          fmt::format("{}: the media of {} of {} records are absent or empty; put them below "
                      "media_root '{}' or remove the records from '{}'{}",
                      name, found.missing.count, found.num_looked_for, set.media_root,
                      set.annotations, places(found.missing)));
    for (const auto& [reason, list] : found.bad_media)
      add(
          fmt::format("{}: {} of {} samples would be dropped as {}; replace the files or remove "
                      "the records from '{}'{}",
                      name, list.count, found.num_samples, reason, set.annotations, places(list)));
    for (const auto& [reason, list] : found.bad_text)
      add(fmt::format("{}: {} of {} samples would be dropped as {}; mend the texts in '{}'{}{}",
                      name, list.count, found.num_samples, reason, set.annotations,
                      reason == "too_long" ? " or raise data.conversations.max_tokens" : "",
                      places(list)));
    if (found.too_long.count > 0)
      add(
          fmt::format("{}: {} of {} samples are longer than the {} positions of the language "
                      "model; lower data.conversations.max_tokens or data.captions.max_tokens{}",
                      name, found.too_long.count, found.num_samples, language_->max_positions,
                      places(found.too_long)));
  }

  void make_plan() {
    if (!language_) return;
    attempt([this] {
      models::VideoLlama model(config_.model, *language_);
      const TrainingConfig& training = config_.training;
      RunPlan plan{.num_epochs = training.num_epochs,
                   .num_steps = training.num_steps(),
                   .samples_per_step = training.batch_size};
      const datasets::SampleOrder samples = order();
      for (const DatasetFindings& found : report_.datasets)
        plan.sets.push_back({.name = found.name,
                             .num_records = found.num_records,
                             .num_invalid = found.invalid.total()});
      plan_samples(training, samples, plan.sets);
      std::erase_if(plan.sets, [](const DatasetPlan& set) { return set.num_records == 0; });
      plan.modules = plan_modules(config_, model);
      plan.memory = plan_memory(config_, model, options_.ranks);
      plan.tables = plan_tables(config_, model, options_.ranks, config_.device, plan.sets,
                                samples.settings().mixing);
      report_.plan = std::move(plan);
    });
  }

  RunConfig given_;
  RunConfig config_;  // with the sizes of the files
  const CheckOptions& options_;
  const fs::path language_folder_;
  std::optional<text::Tokenizer> tokenizer_;
  std::optional<models::LlamaConfig> language_;
  CheckReport report_;
};

}  // namespace

CheckReport check(const RunConfig& config, const CheckOptions& options) {
  return Check(config, options).run();
}

}  // namespace vllama::train

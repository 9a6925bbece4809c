#include "train/check/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <memory>
#include <ranges>

#include "core/error.h"
#include "core/terminal_text.h"
#include "datasets/formats/open_dataset.h"
#include "datasets/order/mixing.h"
#include "distributed/device.h"
#include "eval/evaluate/unused_settings.h"
#include "models/file_sizes.h"
#include "models/load_video_llama.h"
#include "models/model_input.h"
#include "text/folder_template.h"
#include "text/tokenizers/open_tokenizer.h"
#include "train/loop/sample_order.h"
#include "train/plan/problem_list.h"
#include "train/plan/run_rules.h"
#include "train/provenance/starting_points.h"
#include "train/run/find_step.h"
#include "train/run/run_folder.h"
#include "train/run_start.h"

namespace vllama::train {
namespace {

namespace fs = std::filesystem;

class Check {
 public:
  Check(const RunConfig& config, const CheckOptions& options)
      : given_(config), config_(config), options_(options) {}

  CheckReport run() {
    problems_.attempt([this] { find_starting_points(given_.model.weights); });
    config_.model = models::with_sizes_of_files(given_.model);
    check_rules();
    problems_.attempt(
        [this] { start_ = find_start(RunFolder(config_.output_dir), config_, options_.resume); });
    check_weight_files();
    check_data();
    lay_out_model();
    if (start_.checkpoint) check_resume();
    make_plan();
    report_.problems = std::move(problems_).take();
    return std::move(report_);
  }

 private:
  // Everything that training would refuse before it reads anything large.
  void check_rules() {
    const std::string folder_problem = RunFolder(config_.output_dir).problem();
    if (!folder_problem.empty()) problems_.add(folder_problem);
    basics_ = look_at_rules(config_);
    problems_.add(basics_.broken);
    // The run may be for another machine than this one.
    if (std::string problem = distributed::device_problem(config_.device); !problem.empty())
      report_.warnings.push_back(std::move(problem));
    if (basics_.tokenizer)
      if (std::string warning =
              text::disagreement_of_vocabularies(config_.model.weights.language_model);
          !warning.empty())
        report_.warnings.push_back(std::move(warning));
    if (std::string warning = other_template(); !warning.empty())
      report_.warnings.push_back(std::move(warning));
    if (config_.eval.every_steps > 0)
      for (const std::string& note :
           eval::unused_settings(config_.eval.generation, config_.eval.tasks))
        report_.warnings.push_back("eval: " + note);
  }

  // What to warn of where the language model's folder speaks of other prompts.
  std::string other_template() const {
    const std::string& folder = config_.model.weights.language_model;
    const std::string& given = config_.data.conversations.family;
    const auto own = text::family_of_folder(folder);
    // Thinking or not is a choice.
    const bool has_conversations = std::ranges::any_of(config_.data.sets, [](const auto& set) {
      return datasets::dataset_format(set.format).has_conversations;
    });
    if (!has_conversations || !own || given == *own ||
        (*own == "qwen3" && given == "qwen3_thinking"))
      return {};
    return fmt::format(
        "data.conversations.template is {}, but '{}' says that the model was trained with the "
        "prompts of {}; with those, or template: auto, it need not learn them anew",
        given, folder, *own);
  }

  void check_weight_files() {
    models::ModelConfig model = given_.model;
    model.weights = without_starting_points(model.weights, start_.left_out);
    problems_.attempt([&] { problems_.add(models::check_weights(model)); });
  }

  // Sizes only. What makes no model has been told as a broken rule.
  void lay_out_model() try {
    const language::LlamaConfig language = language_sizes();
    model_ = std::make_unique<models::VideoLlama>(config_.model, language);
  } catch (const UserError&) {
  }

  void check_resume() {
    Provenance now = start_.trained_on.value_or(Provenance{});
    now.data = data_inputs();
    try {
      now = present_inputs(start_, config_, now.data);
    } catch (const UserError&) {
      // Of a file that is missing, which has been told. The others are compared.
    }
    problems_.attempt([&] {
      const ResumeVerdict verdict =
          judge_resume(start_, config_, now, basics_.language_model ? model_.get() : nullptr,
                       options_.accept_changes);
      std::ranges::copy(verdict.warnings, std::back_inserter(report_.warnings));
      if (!verdict.refusal.empty()) problems_.add(verdict.refusal);
    });
  }

  // Of the data sets that could be opened.
  std::vector<InputData> data_inputs() {
    std::vector<InputData> inputs;
    for (std::size_t i = 0; i < report_.datasets.size(); ++i) {
      const datasets::Dataset* dataset = report_.datasets[i].dataset.get();
      if (dataset == nullptr) continue;
      problems_.attempt([&] {
        const datasets::DatasetConfig& set = config_.data.sets[i];
        inputs.push_back(annotation_files(set, *dataset));
        if (options_.media != MediaCheck::none) inputs.back().media = media_files(set, *dataset);
      });
    }
    return inputs;
  }

  void check_data() {
    const auto& language = basics_.language_model;
    const SampleLimits limits{models::model_input(config_.model),
                              language ? language->max_positions : 0};
    for (std::size_t i = 0; i < config_.data.sets.size(); ++i) {
      report_.datasets.push_back(
          check_dataset(config_, i, limits, basics_.tokenizer.get(), options_));
      add_problems(report_.datasets.back(), config_.data.sets[i], limits);
      add_warnings(report_.datasets.back(), config_.data.sets[i]);
    }
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

  void add_problems(const DatasetFindings& found, const datasets::DatasetConfig& set,
                    const SampleLimits& limits) {
    const std::string name = fmt::format("data set {}", found.name);
    for (const std::string& error : found.errors) problems_.add(error);
    if (found.invalid.total() > 0) {
      std::string entries;
      constexpr std::size_t kMaxShown = 3;
      for (const auto& entry : found.invalid.listed() | std::views::take(kMaxShown))
        entries += fmt::format("\n  {}: {}", entry.place, entry.reason);
      problems_.add(
          fmt::format("{}: {} invalid entries would be left out; mend or remove them: {}{}{}", name,
                      found.invalid.total(), found.invalid.summary(), entries,
                      found.invalid.total() > std::ssize(found.invalid.listed()) ||
                              found.invalid.listed().size() > kMaxShown
                          ? "\n  ..."
                          : ""));
    }
    if (found.missing.count > 0)
      problems_.add(
          fmt::format("{}: the media of {} of {} records are absent or empty; put them below "
                      "media_root '{}' or remove the records from '{}'{}",
                      name, found.missing.count, found.num_looked_for, set.media_root,
                      set.annotations, places(found.missing)));
    for (const auto& [reason, list] : found.bad_media)
      problems_.add(
          fmt::format("{}: {} of {} samples would be dropped as {}; replace the files or remove "
                      "the records from '{}'{}",
                      name, list.count, found.num_samples, reason, set.annotations, places(list)));
    for (const auto& [reason, list] : found.bad_text)
      problems_.add(fmt::format(
          "{}: {} of {} samples would be dropped as {}; mend the texts in '{}'{}{}", name,
          list.count, found.num_samples, reason, set.annotations,
          reason == "too_long" ? " or raise data.conversations.max_tokens" : "", places(list)));
    if (found.too_long.count > 0)
      problems_.add(
          fmt::format("{}: {} of {} samples are longer than the {} positions of the language "
                      "model; lower data.conversations.max_tokens or data.captions.max_tokens{}",
                      name, found.too_long.count, found.num_samples, limits.max_positions,
                      places(found.too_long)));
  }

  void add_warnings(const DatasetFindings& found, const datasets::DatasetConfig& set) {
    if (found.media_tags.count == 0) return;
    report_.warnings.push_back(fmt::format(
        "data set {}: {} of {} records hold the tag of a medium as text, which the model reads "
        "letter by letter: media stand where the format says; mend the texts in '{}', or name "
        "the format that knows these tags{}",
        found.name, found.media_tags.count, found.num_records, set.annotations,
        places(found.media_tags)));
  }

  // While weights are missing, too: those who are about to fetch them want to know what they need.
  void make_plan() {
    const TrainingConfig& training = config_.training;
    if (!model_ || config_.data.sets.empty() ||
        !datasets::broken_mixing_rules(config_.data, {training.num_steps(), training.batch_size})
             .empty())
      return;
    problems_.attempt([&] {
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
      std::ranges::move(many_passes(plan.sets), std::back_inserter(report_.warnings));
      plan.modules = plan_modules(config_, *model_);
      plan.memory = plan_memory(config_, *model_, options_.ranks);
      plan.tables = plan_tables(config_, *model_, options_.ranks, config::name_of(config_.device),
                                plan.sets, samples.settings().mixing);
      plan.assumed = assumed_;
      report_.plan = std::move(plan);
    });
  }

  // Of the configured language model, or of a published one where its config.json cannot be read.
  language::LlamaConfig language_sizes() {
    if (basics_.language_model) return *basics_.language_model;
    language::LlamaConfig sizes;  // LLaMA 7B
    const std::string& folder = config_.model.weights.language_model;
    const bool is_13b = folder.find("13b") != std::string::npos;
    if (is_13b) {
      sizes.width = 5120;
      sizes.mlp_width = 13824;
      sizes.num_layers = sizes.num_heads = sizes.num_key_value_heads = 40;
    }
    assumed_ = fmt::format(
        "As '{}' cannot be read, parameters and memory are those of a language model with the "
        "sizes of LLaMA {}.",
        (fs::path(folder) / "config.json").string(), is_13b ? "13B" : "7B");
    return sizes;
  }

  RunConfig given_;
  RunConfig config_;  // with the sizes of the files
  const CheckOptions& options_;
  RunBasics basics_;
  RunStart start_;
  std::unique_ptr<models::VideoLlama> model_;  // without tensors; null if the sizes make none
  std::string assumed_;                        // of its language model
  ProblemList problems_;
  CheckReport report_;
};

}  // namespace

CheckReport check(const RunConfig& config, const CheckOptions& options) {
  return Check(config, options).run();
}

}  // namespace vllama::train

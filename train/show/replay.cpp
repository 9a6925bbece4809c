#include "train/show/replay.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "core/markup.h"
#include "models/model_input.h"
#include "output/number_text.h"
#include "text/tokenizers/open_tokenizer.h"
#include "train/loop/sample_order.h"
#include "train/provenance/provenance_changes.h"
#include "train/show/example_page.h"
#include "train/show/output_folder.h"
#include "train/show/step_page.h"

namespace vllama::train {
namespace {

using datasets::PlannedSample;

// A page of so many samples is still opened by a browser; pictures of a sample take up to 1 MB.
constexpr std::size_t kMaxSamplesOfBadSteps = 200;

std::string name_of(const StepSample& sample) {
  return fmt::format("{}/{}", sample.dataset, sample.id);
}

struct JudgedSample {
  std::string name;
  SampleLoss loss;
};

// The samples whose numbers are not finite, or else the one of the largest loss.
std::string suspects(const std::vector<JudgedSample>& samples) {
  std::vector<std::string> names;
  for (const JudgedSample& sample : samples)
    if (sample.loss.problem)
      names.push_back(fmt::format("{}: {}", sample.name, problem_name(*sample.loss.problem)));
  if (!names.empty()) return fmt::format("{}", fmt::join(names, ", "));
  const auto largest =
      std::ranges::max_element(samples, {}, [](const auto& sample) { return sample.loss.loss; });
  return fmt::format("all {} losses and gradients are finite; the largest loss, {}, has {}",
                     samples.size(), output::real_text(largest->loss.loss), largest->name);
}

// What is needed to build any sample of a run.
class Replayer {
 public:
  Replayer(const RunConfig& config, const ShowOptions& options)
      : config_(config),
        tokenizer_(text::open_tokenizer(config.model.weights.language_model)),
        data_(config.data, models::model_input(config.model), *tokenizer_),
        order_(sample_order(config, data_.sources())),
        style_(options.style) {
    warn_of_changed_data(config, data_);
    if (options.losses) losses_.emplace(config, *options.losses, tokenizer_->image_token());
  }

  std::int64_t num_steps() const { return config_.training.num_steps(); }

  // Step `step` (from 1). Where `recorded` samples are given, only those are built that stand in
  // their old places; `num_others` counts the rest.
  StepView view(std::int64_t step, const std::vector<StepSample>* recorded,
                std::size_t& num_others) {
    StepView result{.step = step};
    const std::vector<PlannedSample> planned = order_.step(step - 1);
    const std::vector<StepSample> samples = samples_of_step(order_, data_, step - 1);
    std::vector<JudgedSample> judged;
    const std::size_t num_samples = recorded != nullptr ? recorded->size() : samples.size();
    for (std::size_t i = 0; i < num_samples; ++i) {
      const bool is_planned = i < samples.size();
      const StepSample& wanted = recorded != nullptr ? (*recorded)[i] : samples[i];
      ExampleView example;
      if (is_planned && samples[i].dataset == wanted.dataset && samples[i].id == wanted.id) {
        SampleView view = view_sample(data_, planned[i], *tokenizer_, losses());
        if (view.loss)
          judged.push_back({fmt::format("sample {} ({})", i, name_of(wanted)), *view.loss});
        example = std::move(view.example);
      } else {
        ++num_others;
        example = view_of_other(wanted, is_planned ? &samples[i] : nullptr);
      }
      result.samples.push_back(
          render_sample(step, fmt::format("sample {} of {}: {}", i, num_samples, name_of(wanted)),
                        example, style_));
    }
    if (samples.size() != num_samples)
      result.facts.emplace_back("size", fmt::format("the step has {} samples now, {} when it was "
                                                    "recorded",
                                                    samples.size(), num_samples));
    if (!judged.empty()) result.facts.emplace_back("suspects", suspects(judged));
    return result;
  }

 private:
  SampleLosses* losses() { return losses_ ? &*losses_ : nullptr; }

  static ExampleView view_of_other(const StepSample& recorded, const StepSample* planned) {
    ExampleView view;
    view.facts.emplace_back("recorded", name_of(recorded));
    for (const std::string& path : recorded.paths) view.facts.emplace_back("file", path);
    view.facts.emplace_back(
        "now", fmt::format("{}: data, order or size of the step are not those of the recorded run",
                           planned == nullptr ? "no sample" : name_of(*planned)));
    return view;
  }

  const RunConfig& config_;
  std::unique_ptr<text::Tokenizer> tokenizer_;
  datasets::Mixture data_;
  datasets::SampleOrder order_;
  TextStyle style_;
  std::optional<SampleLosses> losses_;
};

std::vector<Fact> facts_of(const BadStep& step) {
  std::vector<Fact> facts = {{"reason", problem_name(step.problem)},
                             {"action", step.skipped ? "skipped" : "kept"},
                             {"loss", output::real_text(step.loss)},
                             {"grad norm", output::real_text(step.gradient_norm)}};
  if (step.loss_z) facts.emplace_back("z-score", fmt::format("{:.3g}", *step.loss_z));
  return facts;
}

struct Output {
  std::string text, html;  // of all steps
};

void add(StepView view, const TextStyle& style, Output& output) {
  output.text += step_text(view, style);
  output.html += step_section(view);
}

// Replays a bad step if it is to be shown, and says what became of it.
StepRow replay_bad_step(const BadStep& step, const ShowOptions& options, Replayer& replayer,
                        std::size_t& num_samples_left, Output& output) {
  StepRow row{step, "", false};
  if (options.step && *options.step != step.step) return row;
  if (step.step > replayer.num_steps()) {
    row.replay = fmt::format("the run has the steps 1 to {}", replayer.num_steps());
    return row;
  }
  if (!options.step && step.samples.size() > num_samples_left) {
    num_samples_left = 0;
    row.replay = fmt::format("see --step {}", step.step);
    return row;
  }
  num_samples_left -= std::min(num_samples_left, step.samples.size());
  std::size_t num_others = 0;
  StepView view = replayer.view(step.step, &step.samples, num_others);
  const std::size_t num_samples = step.samples.size();
  row.replay = num_others == 0
                   ? fmt::format("all {} samples as recorded", num_samples)
                   : fmt::format("{} of {} samples are others now", num_others, num_samples);
  row.is_shown = true;
  auto facts = facts_of(step);
  facts.emplace_back("replay", row.replay);
  view.facts.insert(view.facts.begin(), facts.begin(), facts.end());
  add(std::move(view), options.style, output);
  return row;
}

// The table, and the steps that are shown.
Output replay_bad_steps(const RunConfig& config, const ShowOptions& options,
                        const std::filesystem::path& file) {
  const std::vector<BadStep> steps = read_bad_steps(file);
  if (options.step &&
      std::ranges::none_of(steps, [&](const BadStep& step) { return step.step == *options.step; }))
    throw UserError(fmt::format("--step {}: '{}' has no such step", *options.step, file.string()));
  if (steps.empty()) return {fmt::format("no bad steps in {}\n", file.string()), ""};
  Replayer replayer(config, options);
  Output output;
  std::vector<StepRow> rows;
  std::size_t num_samples_left = kMaxSamplesOfBadSteps;
  for (const BadStep& step : steps)
    rows.push_back(replay_bad_step(step, options, replayer, num_samples_left, output));
  const std::string heading = fmt::format("{} bad steps in {}", steps.size(), file.string());
  return {
      fmt::format("{}\n{}", heading, step_table_text(rows)) + output.text,
      fmt::format("<h1>{}</h1>\n", markup_escaped(heading)) + step_table_html(rows) + output.html};
}

Output replay_step(const RunConfig& config, const ShowOptions& options) {
  Replayer replayer(config, options);
  const std::int64_t step = *options.step;
  if (step < 1 || step > replayer.num_steps())
    throw UserError(
        fmt::format("--step {}: the run has the steps 1 to {}", step, replayer.num_steps()));
  Output output;
  std::size_t num_others = 0;
  add(replayer.view(step, nullptr, num_others), options.style, output);
  return output;
}

}  // namespace

std::string replay(const RunConfig& config, const ShowOptions& options) {
  Output output;
  if (options.bad_steps) {
    const auto file = options.bad_steps->empty()
                          ? std::filesystem::path(config.output_dir) / "bad_steps.jsonl"
                          : *options.bad_steps;
    output = replay_bad_steps(config, options, file);
  } else {
    output = replay_step(config, options);
  }
  if (output.html.empty()) return output.text;
  write_output(options.output, "steps.html", html_page("Steps", output.html));
  return fmt::format("{}\nIn {}: steps.html\n", output.text, options.output.string());
}

}  // namespace vllama::train

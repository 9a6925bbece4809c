#include "train/record/bad_steps.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "core/terminal_text.h"
#include "output/number_text.h"
#include "train/record/json_numbers.h"
#include "train/record/step_lines.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

constexpr const char* kSkipped = "skipped";
constexpr const char* kKept = "kept";

std::string to_line(const BadStep& step) {
  Json line{{"step", step.step},
            {"reason", problem_name(step.problem)},
            {"loss", finite_or_null(step.loss)},
            {"grad_norm", finite_or_null(step.gradient_norm)}};
  if (step.loss_z) line["z_score"] = finite_or_null(*step.loss_z);
  line["action"] = step.skipped ? kSkipped : kKept;
  Json samples = Json::array();
  for (const StepSample& sample : step.samples)
    samples.push_back({{"dataset", sample.dataset}, {"id", sample.id}, {"paths", sample.paths}});
  line["samples"] = std::move(samples);
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// Throws nlohmann's exceptions or UserError without a place, which the caller adds.
BadStep bad_step_from(std::string_view text) {
  const Json line = Json::parse(text);
  BadStep step;
  if (!line.at("step").is_number_integer() || line.at("step") < 1)
    throw UserError("'step' must be a whole number, at least 1");
  step.step = line.at("step");
  const auto problem = problem_named(line.at("reason").get<std::string>());
  if (!problem) throw UserError("'reason' is not a known one");
  step.problem = *problem;
  step.loss = number_or_nan(line.at("loss"));
  step.gradient_norm = number_or_nan(line.at("grad_norm"));
  if (line.contains("z_score")) step.loss_z = number_or_nan(line.at("z_score"));
  step.skipped = line.at("action") == kSkipped;
  if (!step.skipped && line.at("action") != kKept)
    throw UserError("'action' must be skipped or kept");
  for (const Json& sample : line.at("samples"))
    step.samples.push_back({sample.at("dataset"), sample.at("id"), sample.at("paths")});
  return step;
}

// Why a line is not a bad step, or nothing; fills `step` if it is one.
std::optional<std::string> problem_of(std::string_view text, BadStep& step) {
  try {
    step = bad_step_from(text);
    return std::nullopt;
  } catch (const Json::exception& failure) {
    return failure.what();
  } catch (const UserError& failure) {
    return failure.what();
  }
}

// Leaves the lines of the first steps, each step once, and counts them.
std::filesystem::path pruned(const std::filesystem::path& path, std::int64_t num_steps_done,
                             std::map<StepProblem, std::int64_t>& num_steps_of_problem) {
  std::int64_t last_step = 0;
  return keep_lines(path, [&](const std::string& line) {
    BadStep step;
    if (problem_of(line, step) || step.step <= last_step || step.step > num_steps_done)
      return false;
    last_step = step.step;
    ++num_steps_of_problem[step.problem];
    return true;
  });
}

}  // namespace

BadStep bad_step(const StepMetrics& metrics, std::vector<StepSample> samples) {
  VLLAMA_ASSERT(metrics.problem, "only a step with a problem is a bad one");
  return {.step = metrics.step,
          .problem = *metrics.problem,
          .loss = metrics.loss,
          .gradient_norm = metrics.gradient_norm,
          .loss_z = metrics.loss_z,
          .skipped = metrics.skipped,
          .samples = std::move(samples)};
}

std::string bad_step_text(const BadStep& step) {
  constexpr std::size_t kMaxIds = 16;
  std::string text = fmt::format("step {} {}: {}: loss {:.6g}, gradient norm {:.6g}", step.step,
                                 step.skipped ? "was skipped" : "looks wrong",
                                 problem_name(step.problem), step.loss, step.gradient_norm);
  if (step.loss_z) text += fmt::format(", z-score {:.3g}", *step.loss_z);
  text += "; samples:";
  for (std::size_t i = 0; i < std::min(kMaxIds, step.samples.size()); ++i)
    text += fmt::format(" {}/{}", visible(step.samples[i].dataset), visible(step.samples[i].id));
  if (step.samples.size() > kMaxIds)
    text += fmt::format(" and {} more", step.samples.size() - kMaxIds);
  return text;
}

BadStepLog::BadStepLog(const std::filesystem::path& path, std::int64_t num_steps_done)
    : file_(pruned(path, num_steps_done, num_steps_of_problem_)) {}

void BadStepLog::write(const BadStep& step) {
  std::int64_t& num_steps = num_steps_of_problem_[step.problem];
  if (num_steps == kMaxStepsPerProblem) return;
  file_.append(to_line(step));
  if (++num_steps == kMaxStepsPerProblem)
    log::warn("bad_steps.jsonl holds {} steps with {} and takes no more; metrics.jsonl does",
              num_steps, problem_name(step.problem));
}

std::vector<BadStep> read_bad_steps(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  std::vector<BadStep> steps;
  std::size_t begin = 0;
  for (std::size_t end; (end = content.find('\n', begin)) != std::string::npos; begin = end + 1) {
    BadStep step;
    if (const auto problem = problem_of(std::string_view(content).substr(begin, end - begin), step))
      throw UserError(
          fmt::format("{}:{}: not a bad step: {}", path.string(), steps.size() + 1, *problem));
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace vllama::train

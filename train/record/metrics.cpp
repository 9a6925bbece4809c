#include "train/record/metrics.h"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"
#include "train/record/json_numbers.h"

namespace vllama::train {
namespace {

using Json = nlohmann::ordered_json;

// A count or a step: get<> would turn 1e300, -1 or "true" into some integer without a word.
std::int64_t to_count(const Json& value) {
  if (!value.is_number_integer() || value < 0 ||
      value.get<std::uint64_t>() > std::uint64_t{std::numeric_limits<std::int64_t>::max()})
    throw UserError("must be a whole number, not negative");
  return value.get<std::int64_t>();
}

std::string to_line(const StepMetrics& metrics) {
  Json line = {{"step", metrics.step},
               {"loss", finite_or_null(metrics.loss)},
               {"lr", finite_or_null(metrics.learning_rate)},
               {"grad_norm", finite_or_null(metrics.gradient_norm)},
               {"samples", metrics.num_samples},
               {"tokens", metrics.num_tokens},
               {"target_tokens", metrics.num_target_tokens},
               {"seconds", finite_or_null(metrics.seconds)},
               {"data_wait_seconds", finite_or_null(metrics.data_wait_seconds)}};
  if (metrics.peak_memory_bytes) line["peak_memory_bytes"] = *metrics.peak_memory_bytes;
  if (metrics.num_shortened > 0) line["shortened"] = metrics.num_shortened;
  if (!metrics.dropped.empty()) line["dropped"] = metrics.dropped;
  if (metrics.loss_z) line["loss_z"] = finite_or_null(*metrics.loss_z);
  if (metrics.problem) line["problem"] = problem_name(*metrics.problem);
  if (metrics.skipped) line["skipped"] = true;
  if (metrics.num_ranks) line["num_ranks"] = *metrics.num_ranks;
  if (metrics.communication_seconds)
    line["communication_seconds"] = finite_or_null(*metrics.communication_seconds);
  if (const auto& straggler = metrics.straggler)
    line["straggler"] = {{"rank", straggler->rank},
                         {"ratio", finite_or_null(straggler->ratio)},
                         {"reason", straggler->reason}};
  return line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

void read_health(const Json& line, StepMetrics& metrics) {
  if (line.contains("loss_z")) metrics.loss_z = number_or_nan(line.at("loss_z"));
  if (line.contains("problem")) {
    metrics.problem = problem_named(line.at("problem").get<std::string>());
    if (!metrics.problem) throw UserError("'problem' is not a known one");
  }
  if (line.contains("skipped")) metrics.skipped = line.at("skipped").get<bool>();
}

void read_ranks(const Json& line, StepMetrics& metrics) {
  if (line.contains("num_ranks")) metrics.num_ranks = to_count(line.at("num_ranks"));
  if (line.contains("communication_seconds"))
    metrics.communication_seconds = number_or_nan(line.at("communication_seconds"));
  if (!line.contains("straggler")) return;
  const Json& straggler = line.at("straggler");
  metrics.straggler = {to_count(straggler.at("rank")), number_or_nan(straggler.at("ratio")),
                       straggler.at("reason").get<std::string>()};
}

// Throws nlohmann's exceptions or UserError without a place, which the caller adds.
StepMetrics metrics_from(std::string_view text) {
  const Json line = Json::parse(text);
  StepMetrics metrics;
  metrics.step = to_count(line.at("step"));
  if (metrics.step == 0) throw UserError("'step' must be at least 1");
  metrics.loss = number_or_nan(line.at("loss"));
  metrics.learning_rate = number_or_nan(line.at("lr"));
  metrics.gradient_norm = number_or_nan(line.at("grad_norm"));
  metrics.num_samples = to_count(line.at("samples"));
  metrics.num_tokens = to_count(line.at("tokens"));
  metrics.num_target_tokens = to_count(line.at("target_tokens"));
  metrics.seconds = number_or_nan(line.at("seconds"));
  metrics.data_wait_seconds = number_or_nan(line.at("data_wait_seconds"));
  if (line.contains("peak_memory_bytes"))
    metrics.peak_memory_bytes = to_count(line.at("peak_memory_bytes"));
  if (line.contains("shortened")) metrics.num_shortened = to_count(line.at("shortened"));
  if (line.contains("dropped"))
    for (const auto& [reason, count] : line.at("dropped").items())
      metrics.dropped[reason] = to_count(count);
  read_health(line, metrics);
  read_ranks(line, metrics);
  return metrics;
}

// Why a line is not a metrics line, or nothing; fills `metrics` if it is one.
std::optional<std::string> problem_of(std::string_view text, StepMetrics& metrics) {
  try {
    metrics = metrics_from(text);
    return std::nullopt;
  } catch (const Json::exception& failure) {
    return failure.what();
  } catch (const UserError& failure) {
    return failure.what();
  }
}

// Calls visit(line, number of the line) for every line that ends; returns the size of the rest.
std::size_t for_each_line(std::string_view content,
                          const std::function<void(std::string_view, std::size_t)>& visit) {
  std::size_t begin = 0, number = 0;
  for (std::size_t end; (end = content.find('\n', begin)) != std::string_view::npos;
       begin = end + 1)
    visit(content.substr(begin, end - begin), ++number);
  return content.size() - begin;
}

// Leaves in the file the lines of steps 1..num_steps_done, each once, and says what went.
void prune(const std::filesystem::path& path, std::int64_t num_steps_done) {
  const std::string content = read_file(path);
  std::string kept;
  std::int64_t last_step = 0, num_removed = 0;
  const std::size_t torn = for_each_line(content, [&](std::string_view line, std::size_t) {
    StepMetrics metrics;
    if (problem_of(line, metrics) || metrics.step <= last_step || metrics.step > num_steps_done) {
      ++num_removed;
      return;
    }
    last_step = metrics.step;
    kept.append(line).push_back('\n');
  });
  if (kept.size() == content.size()) return;
  write_file_atomically(path, kept);
  log::info("{}: kept the {} steps done, lines removed: {}", path.string(), num_steps_done,
            num_removed + (torn > 0));
}

std::filesystem::path pruned(const std::filesystem::path& path, std::int64_t num_steps_done) {
  std::error_code ignored;
  if (std::filesystem::is_regular_file(path, ignored)) prune(path, num_steps_done);
  return path;
}

}  // namespace

double StepMetrics::tokens_per_second() const {
  return seconds > 0 ? static_cast<double>(num_tokens) / seconds : 0;
}

std::int64_t StepMetrics::num_dropped() const {
  std::int64_t sum = 0;
  for (const auto& [reason, count] : dropped) sum += count;
  return sum;
}

MetricsWriter::MetricsWriter(const std::filesystem::path& path, std::int64_t num_steps_done)
    : file_(pruned(path, num_steps_done)) {}

void MetricsWriter::write(const StepMetrics& metrics) {
  file_.append(to_line(metrics));
}

std::vector<StepMetrics> read_metrics(const std::filesystem::path& path) {
  const std::string content = read_file(path);
  std::vector<StepMetrics> all;
  for_each_line(content, [&](std::string_view line, std::size_t number) {
    StepMetrics metrics;
    if (const auto problem = problem_of(line, metrics))
      throw UserError(
          fmt::format("{}:{}: not a line of metrics: {}", path.string(), number, *problem));
    all.push_back(std::move(metrics));
  });
  return all;
}

}  // namespace vllama::train

#include "train/record/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "core/log.h"
#include "core/terminal_text.h"
#include "output/number_text.h"
#include "output/table.h"

namespace vllama::train {
namespace {

constexpr std::size_t kBarWindow = 50;  // steps that the means of the bar cover
constexpr double kRedrawSeconds = 0.1;
constexpr std::size_t kSmallestBar = 8, kLargestBar = 40;

bool locale_is_utf8() {
  for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const char* value = std::getenv(variable);
    if (value == nullptr || *value == '\0') continue;
    std::string name = value;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    return name.find("utf-8") != std::string::npos || name.find("utf8") != std::string::npos;
  }
  return false;
}

std::int64_t terminal_columns() {
  constexpr std::int64_t kUsualColumns = 80;
  winsize size{};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return kUsualColumns;
  return size.ws_col;
}

double monotonic_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// A piece of the line; those of low importance leave first when the terminal is narrow.
struct Field {
  std::string text;
  int importance;
};

std::size_t total_width(const std::vector<Field>& fields) {
  std::size_t width = 0;
  for (const Field& field : fields)
    width += output::display_width(field.text) + (width > 0 ? 2 : 0);
  return width;
}

void leave_out_until_it_fits(std::vector<Field>& fields, std::size_t num_columns) {
  while (!fields.empty() && total_width(fields) > num_columns)
    fields.erase(std::ranges::min_element(fields, {}, &Field::importance));
}

std::string joined(const std::vector<Field>& fields) {
  std::string line;
  for (const Field& field : fields) line += (line.empty() ? "" : "  ") + field.text;
  return line;
}

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

std::string bar_text(double share, std::size_t width, bool has_unicode) {
  const auto num_full = static_cast<std::size_t>(share * static_cast<double>(width));
  std::string bar;
  for (std::size_t i = 0; i < width; ++i)
    bar += i < num_full ? (has_unicode ? "━" : "=") : (has_unicode ? "─" : ".");
  return bar;
}

ProgressOutput standard_error() {
  return {&raw_error(), ::isatty(STDERR_FILENO) == 1, locale_is_utf8(), terminal_columns,
          monotonic_seconds};
}

Progress::Progress(std::int64_t num_steps_done, std::int64_t num_steps, std::int64_t steps_per_line,
                   ProgressOutput output)
    : num_steps_(num_steps),
      steps_per_line_(std::max<std::int64_t>(1, steps_per_line)),
      output_(std::move(output)),
      start_seconds_(output_.clock_seconds()),
      last_draw_seconds_(-std::numeric_limits<double>::infinity()) {
  StepMetrics before;
  before.step = num_steps_done;
  latest_.push_back({before, start_seconds_});
}

Progress::~Progress() {
  finish();
}

void Progress::update(const StepMetrics& metrics) {
  latest_.push_back({metrics, output_.clock_seconds()});
  if (latest_.size() > std::max(kBarWindow, static_cast<std::size_t>(steps_per_line_)) + 1)
    latest_.pop_front();
  num_dropped_ += metrics.num_dropped();
  const bool is_last = metrics.step >= num_steps_;
  if (!has_printed_ || is_last || metrics.step % steps_per_line_ == 0) {
    log::to_files(spdlog::level::info, line());
    if (!output_.is_terminal) *output_.stream << line() << std::endl;
    has_printed_ = true;
  }
  if (output_.is_terminal &&
      (is_last || latest_.back().clock_seconds - last_draw_seconds_ >= kRedrawSeconds))
    draw_bar();
}

void Progress::finish() {
  if (!is_bar_on_screen_) return;
  draw_bar();
  *output_.stream << '\n' << std::flush;
  is_bar_on_screen_ = false;
}

std::size_t Progress::num_latest(std::size_t most_steps) const {
  return std::min(most_steps, latest_.size() - 1);
}

// The entry in front of the first that counts only tells when that began.
Progress::Means Progress::means(std::size_t most_steps) const {
  double loss_sum = 0, tokens = 0, seconds = 0, wait = 0;
  std::int64_t targets = 0;
  const auto first = latest_.end() - static_cast<std::ptrdiff_t>(num_latest(most_steps));
  for (auto step = first; step != latest_.end(); ++step) {
    const StepMetrics& metrics = step->metrics;
    tokens += static_cast<double>(metrics.num_tokens);
    seconds += metrics.seconds;
    wait += metrics.data_wait_seconds;
    if (!std::isfinite(metrics.loss)) continue;
    loss_sum += metrics.loss * static_cast<double>(metrics.num_target_tokens);
    targets += metrics.num_target_tokens;
  }
  const auto num_steps = static_cast<double>(num_latest(most_steps));
  const double loss = targets > 0 ? loss_sum / static_cast<double>(targets)
                                  : std::numeric_limits<double>::quiet_NaN();
  return {loss, ratio(tokens, seconds), ratio(wait, seconds),
          (latest_.back().clock_seconds - (first - 1)->clock_seconds) / num_steps};
}

void Progress::draw_bar() {
  const StepMetrics& metrics = latest_.back().metrics;
  const Means mean = means(kBarWindow);
  const double share =
      std::clamp(static_cast<double>(metrics.step) / static_cast<double>(num_steps_), 0.0, 1.0);
  const auto num_columns =
      static_cast<std::size_t>(std::max<std::int64_t>(1, output_.num_columns() - 1));

  const std::size_t digits = std::to_string(num_steps_).size();
  std::vector<Field> fields = {
      {fmt::format("{:>3}%", static_cast<int>(100 * share)), 8},
      {fmt::format("{:>{}}/{}", metrics.step, digits, num_steps_), 7},
      {fmt::format("mean loss {:.4f}", mean.loss), 9},
      {fmt::format("lr {:.2e}", metrics.learning_rate), 3},
      {fmt::format("{} tokens/s", output::short_number(mean.tokens_per_second)), 4},
      {fmt::format("data wait {:.0f}%", 100 * mean.data_wait_share), 2},
  };
  if (num_dropped_ > 0)
    fields.push_back({fmt::format("dropped {}", output::grouped_digits(num_dropped_)), 5});
  fields.push_back({fmt::format("left {}", output::duration_text(
                                               mean.seconds_per_step *
                                               static_cast<double>(num_steps_ - metrics.step))),
                    6});
  leave_out_until_it_fits(fields, num_columns);

  const std::size_t used = total_width(fields) + 2;
  if (!fields.empty() && used + kSmallestBar <= num_columns) {
    const std::size_t width = std::min(num_columns - used, kLargestBar);
    fields.insert(fields.begin() + 1, {bar_text(share, width, output_.has_unicode), 0});
  }
  *output_.stream << kToStartOfLine << joined(fields) << std::flush;
  last_draw_seconds_ = latest_.back().clock_seconds;
  is_bar_on_screen_ = true;
}

std::string Progress::line() const {
  const StepMetrics& metrics = latest_.back().metrics;
  const auto most_steps = static_cast<std::size_t>(steps_per_line_);
  const Means mean = means(most_steps);
  const std::size_t num_steps = num_latest(most_steps);
  return fmt::format(
      "step {}/{}  loss {:.4f}{}  lr {:.2e}  grad norm {:.3g}  {} tokens/s  data wait {:.0f}%  "
      "{}elapsed {}  left {}",
      metrics.step, num_steps_, metrics.loss,
      num_steps > 1 ? fmt::format(" (mean of {}: {:.4f})", num_steps, mean.loss) : "",
      metrics.learning_rate, metrics.gradient_norm, output::short_number(mean.tokens_per_second),
      100 * mean.data_wait_share,
      num_dropped_ > 0 ? fmt::format("dropped {}  ", output::grouped_digits(num_dropped_)) : "",
      output::duration_text(latest_.back().clock_seconds - start_seconds_),
      output::duration_text(mean.seconds_per_step *
                            static_cast<double>(num_steps_ - metrics.step)));
}

}  // namespace vllama::train

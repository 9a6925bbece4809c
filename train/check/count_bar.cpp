#include "train/check/count_bar.h"

#include <fmt/format.h>

#include <ostream>

#include "core/terminal_text.h"
#include "output/number_text.h"
#include "output/table.h"

namespace vllama::train {
namespace {

constexpr double kRedrawSeconds = 0.1;
constexpr std::size_t kBarWidth = 30;

}  // namespace

CountBar::CountBar(const std::string& label, std::int64_t total, const ProgressOutput& output)
    : label_(visible(label)),
      total_(total),
      output_(output),
      start_seconds_(output.clock_seconds()),
      last_draw_seconds_(start_seconds_) {}

CountBar::~CountBar() {
  if (is_on_screen_) *output_.stream << kToStartOfLine << std::flush;
}

void CountBar::advance() {
  const std::lock_guard lock(mutex_);
  ++done_;
  if (output_.is_terminal && output_.clock_seconds() - last_draw_seconds_ >= kRedrawSeconds) draw();
}

void CountBar::draw() {
  const double seconds_left = (output_.clock_seconds() - start_seconds_) /
                              static_cast<double>(done_) * static_cast<double>(total_ - done_);
  const std::string counts =
      fmt::format("{}/{}  left {}", output::grouped_digits(done_), output::grouped_digits(total_),
                  output::duration_text(seconds_left));
  std::string line = fmt::format("{}  {}", label_, counts);
  const auto num_columns = static_cast<std::size_t>(output_.num_columns());
  if (output::display_width(line) + kBarWidth + 2 < num_columns)
    line = fmt::format("{}  {}  {}", label_,
                       bar_text(static_cast<double>(done_) / static_cast<double>(total_), kBarWidth,
                                output_.has_unicode),
                       counts);
  if (output::display_width(line) >= num_columns) line = counts;
  *output_.stream << kToStartOfLine << line << std::flush;
  last_draw_seconds_ = output_.clock_seconds();
  is_on_screen_ = true;
}

}  // namespace vllama::train

#include "output/number_text.h"

#include <fmt/format.h>

#include <cmath>

namespace vllama::output {
namespace {

// The value in the largest unit that keeps it at 1 or more, with three significant digits. Rounding
// comes first, so that 999.9 becomes "1.00k" and not "1000".
std::string scaled(double value, const char* const (&units)[5], const char* space) {
  std::size_t unit = 0;
  while (std::abs(value) >= 999.5 && unit + 1 < std::size(units)) {
    value /= 1000;
    ++unit;
  }
  const double size = std::abs(value);
  const int decimals = unit == 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2;
  return fmt::format("{:.{}f}{}{}", value, decimals, space, units[unit]);
}

}  // namespace

std::string grouped_digits(std::int64_t value) {
  std::string digits = std::to_string(value);
  const std::ptrdiff_t first = value < 0 ? 1 : 0;
  for (auto place = static_cast<std::ptrdiff_t>(digits.size()) - 3; place > first; place -= 3)
    digits.insert(static_cast<std::size_t>(place), 1, ',');
  return digits;
}

std::string short_number(double value) {
  return scaled(value, {"", "k", "M", "G", "T"}, "");
}

std::string byte_text(std::int64_t num_bytes) {
  return scaled(static_cast<double>(num_bytes), {"B", "kB", "MB", "GB", "TB"}, " ");
}

std::string duration_text(double seconds) {
  constexpr double kLongest = 1e9;
  if (!(seconds >= 0 && seconds < kLongest)) return "?";
  const auto whole = static_cast<std::int64_t>(std::llround(seconds));
  const std::int64_t days = whole / 86400, hours = whole / 3600 % 24;
  const std::int64_t minutes = whole / 60 % 60, rest = whole % 60;
  if (days > 0) return fmt::format("{}d {:02}:{:02}:{:02}", days, hours, minutes, rest);
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, rest);
  return fmt::format("{}:{:02}", minutes, rest);
}

std::string real_text(double value) {
  return std::isnan(value) ? "nan" : fmt::format("{:.6g}", value);
}

}  // namespace vllama::output

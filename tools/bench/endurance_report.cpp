#include "tools/bench/endurance_report.h"

#include <fmt/format.h>

#include <algorithm>

#include "output/number_text.h"

namespace vllama::tools {
namespace {

nlohmann::ordered_json to_json(const Reading& reading) {
  const ProcessUsage& usage = reading.usage;
  nlohmann::ordered_json json = {{"count", reading.count},
                                 {"open_files", usage.num_open_files},
                                 {"threads", usage.num_threads},
                                 {"mappings", usage.num_mappings},
                                 {"resident_megabytes", usage.resident_megabytes},
                                 {"anonymous_megabytes", usage.anonymous_megabytes}};
  if (reading.allocated_megabytes) json["allocated_megabytes"] = *reading.allocated_megabytes;
  return json;
}

// "12 at both" or "12 and 15".
std::string pair_text(std::int64_t first, std::int64_t last) {
  return first == last ? fmt::format("{} at both", first) : fmt::format("{} and {}", first, last);
}

}  // namespace

bool Endurance::are_files_equal() const {
  return readings.front().usage.num_open_files == readings.back().usage.num_open_files;
}

bool Endurance::are_threads_equal() const {
  return readings.front().usage.num_threads == readings.back().usage.num_threads;
}

bool Endurance::is_memory_level() const {
  const Trend resident = resident_trend();
  return resident.difference() <= kLevelShare * resident.first;
}

Trend Endurance::resident_trend() const {
  std::vector<double> counts, megabytes;
  for (const Reading& reading : readings) {
    counts.push_back(static_cast<double>(reading.count));
    megabytes.push_back(reading.usage.resident_megabytes);
  }
  return trend(counts, megabytes);
}

nlohmann::ordered_json to_json(const Endurance& endurance) {
  const Trend resident = endurance.resident_trend();
  nlohmann::ordered_json report = {
      {"run", endurance.run},
      {"unit", endurance.unit},
      {"open_files_equal", endurance.are_files_equal()},
      {"threads_equal", endurance.are_threads_equal()},
      {"memory_level", endurance.is_memory_level()},
      {"resident_megabytes_first_tenth", resident.first},
      {"resident_megabytes_last_tenth", resident.last},
      {"resident_bytes_per_count", resident.slope * 1048576.0},
      {"resident_bytes_per_count_margin_95_percent", resident.slope_margin * 1048576.0}};
  for (const Reading& reading : endurance.readings) report["readings"].push_back(to_json(reading));
  return report;
}

std::string to_text(const Endurance& endurance) {
  const Reading &first = endurance.readings.front(), &last = endurance.readings.back();
  const Trend resident = endurance.resident_trend();
  const auto verdict = [](bool is_good, const char* good, const char* bad) {
    return is_good ? good : bad;
  };
  std::string text = fmt::format(
      "{} readings from {} to {} {}\n"
      "open files   {}: {}\n"
      "threads      {}: {}\n"
      "mappings     {}\n",
      endurance.readings.size(), output::grouped_digits(first.count),
      output::grouped_digits(last.count), endurance.unit,
      pair_text(first.usage.num_open_files, last.usage.num_open_files),
      verdict(endurance.are_files_equal(), "equal", "NOT EQUAL"),
      pair_text(first.usage.num_threads, last.usage.num_threads),
      verdict(endurance.are_threads_equal(), "equal", "NOT EQUAL"),
      pair_text(first.usage.num_mappings, last.usage.num_mappings));
  text += fmt::format(
      "resident     {:.1f} MB over the first tenth, {:+.2f} MB over the last ({:+.0f} +- {:.0f} "
      "bytes in 1 of the {}): {}\n",
      resident.first, resident.difference(), resident.slope * 1048576.0,
      resident.slope_margin * 1048576.0, endurance.unit,
      verdict(endurance.is_memory_level(), "level", "GROWS"));
  if (last.allocated_megabytes)
    text += fmt::format("allocated    {:.1f} MB and {:.1f} MB\n", *first.allocated_megabytes,
                        *last.allocated_megabytes);
  return text;
}

}  // namespace vllama::tools

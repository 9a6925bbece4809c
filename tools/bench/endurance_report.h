// What a long run holds of the system at regular moments, and whether any of it grows.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "tools/bench/process_usage.h"
#include "tools/bench/trend.h"

namespace vllama::tools {

struct Reading {
  std::int64_t count = 0;  // batches or steps done
  ProcessUsage usage;
  std::optional<double> allocated_megabytes;  // unknown of another process
};

// Memory counts as level when the last tenth of the readings is at most this much above the first:
// malloc keeps what it once got, so resident memory creeps towards the largest sum that the
// workers have ever needed at once.
constexpr double kLevelShare = 0.02;

struct Endurance {
  std::string unit;            // "batches" or "steps"
  nlohmann::ordered_json run;  // what ran, for the report
  std::vector<Reading> readings;

  bool are_files_equal() const;    // as many open in the last reading as in the first
  bool are_threads_equal() const;  // the same for threads
  bool is_memory_level() const;
  bool has_passed() const { return are_files_equal() && are_threads_equal() && is_memory_level(); }
  Trend resident_trend() const;  // of resident megabytes, per batch or step
};

nlohmann::ordered_json to_json(const Endurance& endurance);

// Five lines for people: each measure at the first and the last reading, and the verdict.
std::string to_text(const Endurance& endurance);

// An SVG of 800 x 700 with a panel for each of memory, mappings, open files and threads.
std::string endurance_svg(const Endurance& endurance);

}  // namespace vllama::tools

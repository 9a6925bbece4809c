#include "tools/bench/process_usage.h"

#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <fstream>
#include <string>

namespace vllama::tools {
namespace {

namespace fs = std::filesystem;

std::int64_t num_entries(const fs::path& folder, std::error_code& error) {
  std::int64_t count = 0;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error))
    ++count;
  return count;
}

std::optional<ProcessUsage> usage_in(const fs::path& folder) {
  std::error_code error;
  ProcessUsage usage;
  usage.num_open_files = num_entries(folder / "fd", error);
  usage.num_threads = num_entries(folder / "task", error);
  if (error) return std::nullopt;
  std::ifstream mappings(folder / "maps");
  for (std::string line; std::getline(mappings, line);) ++usage.num_mappings;
  usage.resident_megabytes = status_megabytes(folder / "status", "VmRSS:");
  usage.anonymous_megabytes = status_megabytes(folder / "status", "RssAnon:");
  if (usage.resident_megabytes == 0) return std::nullopt;  // it has ended, and nobody waited for it
  return usage;
}

}  // namespace

ProcessUsage own_usage() {
  ProcessUsage usage = usage_in("/proc/self").value();
  --usage.num_open_files;  // the list of open files is itself an open file
  return usage;
}

std::optional<ProcessUsage> usage_of(pid_t process) {
  return usage_in(fmt::format("/proc/{}", process));
}

double status_megabytes(const fs::path& status_file, std::string_view key) {
  std::ifstream status(status_file);
  for (std::string line; std::getline(status, line);)
    if (line.starts_with(key)) return std::stod(line.substr(key.size() + 1)) / 1024.0;
  return 0;
}

double allocated_megabytes() {
  const auto facts = ::mallinfo2();
  return static_cast<double>(facts.uordblks + facts.hblkhd) / 1048576.0;
}

double processor_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace vllama::tools

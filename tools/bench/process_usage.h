// What a process holds of the system: memory, open files, threads.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>

namespace vllama::tools {

struct ProcessUsage {
  std::int64_t num_open_files = 0;
  std::int64_t num_threads = 0;
  std::int64_t num_mappings = 0;   // regions of its address space
  double resident_megabytes = 0;   // all of its memory that is in use, files it maps included
  double anonymous_megabytes = 0;  // the part of it that belongs to no file
};

// Of this process, or of another one. Nothing when there is no such process (any more).
ProcessUsage own_usage();
std::optional<ProcessUsage> usage_of(pid_t process);

// A figure in kB of a file like /proc/self/status, by its key ("VmRSS:"), in MB; 0 without it.
double status_megabytes(const std::filesystem::path& status_file, std::string_view key);

// What the program has taken from malloc and not given back, in MB, over all arenas.
double allocated_megabytes();

// Processor time that this process has used, in seconds, over all threads.
double processor_seconds();

}  // namespace vllama::tools

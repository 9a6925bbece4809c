// Makes many files on several threads.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace vllama::toy {

// A file and what it is to hold.
struct FileJob {
  std::filesystem::path path;
  std::function<std::string()> bytes;
};

// Called after each file, by one thread at a time.
using ReportProgress = std::function<void(std::int64_t num_done, std::int64_t num_files)>;

// The jobs whose files are not there yet.
std::vector<FileJob> unfinished(const std::vector<FileJob>& jobs);

// Writes the files; each appears whole or not at all. The first exception of a thread ends the work
// of all and is thrown.
void run_jobs(const std::vector<FileJob>& jobs, int num_workers, const ReportProgress& report);

}  // namespace vllama::toy

#include "toy_world/files/run_jobs.h"

#include <exception>
#include <mutex>
#include <system_error>
#include <thread>

#include "core/error.h"
#include "core/files.h"

namespace vllama::toy {
namespace {

// Nothing is ever renamed to its name without its content; but after a power cut some file systems
// have a name without bytes.
bool is_there(const std::filesystem::path& path) {
  std::error_code error;
  const auto num_bytes = std::filesystem::file_size(path, error);
  return !error && num_bytes > 0;
}

class Workers {
 public:
  Workers(const std::vector<FileJob>& jobs, const ReportProgress& report)
      : jobs_(jobs), report_(report) {}

  void run(int num_workers) {
    {
      std::vector<std::jthread> threads;
      for (int i = 0; i < num_workers; ++i) threads.emplace_back([this] { work(); });
    }
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void work() {
    while (const FileJob* job = next()) try {
        write_file_atomically(job->path, job->bytes());
        done();
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (!failure_) failure_ = std::current_exception();
      }
  }

  const FileJob* next() {
    const std::lock_guard lock(mutex_);
    return failure_ || num_begun_ == jobs_.size() ? nullptr : &jobs_[num_begun_++];
  }

  void done() {
    const std::lock_guard lock(mutex_);
    report_(++num_done_, static_cast<std::int64_t>(jobs_.size()));
  }

  const std::vector<FileJob>& jobs_;
  const ReportProgress& report_;
  std::mutex mutex_;
  std::size_t num_begun_ = 0;
  std::int64_t num_done_ = 0;
  std::exception_ptr failure_;
};

}  // namespace

std::vector<FileJob> unfinished(const std::vector<FileJob>& jobs) {
  std::vector<FileJob> found;
  for (const FileJob& job : jobs)
    if (!is_there(job.path)) found.push_back(job);
  return found;
}

void run_jobs(const std::vector<FileJob>& jobs, int num_workers, const ReportProgress& report) {
  VLLAMA_ASSERT(num_workers > 0, "someone has to do the work");
  Workers(jobs, report).run(num_workers);
}

}  // namespace vllama::toy

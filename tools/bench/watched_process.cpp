#include "tools/bench/watched_process.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iterator>
#include <thread>

#include "core/error.h"

namespace vllama::tools {
namespace {

namespace fs = std::filesystem;

constexpr auto kBetweenLooks = std::chrono::milliseconds(5);
constexpr int kLooks = 50;

// R, S, D, ... of /proc/PID/stat, behind the name in parentheses, which may hold anything.
char state_of(const fs::path& task) {
  std::ifstream file(task / "stat");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::size_t end = text.rfind(')');
  return end + 2 < text.size() ? text[end + 2] : 'X';  // ended meanwhile
}

bool other_threads_run() {
  const std::string own = std::to_string(::gettid());
  for (const auto& task : fs::directory_iterator("/proc/self/task")) {
    const char state = state_of(task.path());
    if (task.path().filename() != own && (state == 'R' || state == 'D')) return true;
  }
  return false;
}

void keep_least(ProcessUsage& least, const ProcessUsage& usage) {
  const auto keep = [](auto& a, const auto& b) { a = std::min(a, b); };
  keep(least.num_open_files, usage.num_open_files);
  keep(least.num_threads, usage.num_threads);
  keep(least.num_mappings, usage.num_mappings);
  keep(least.resident_megabytes, usage.resident_megabytes);
  keep(least.anonymous_megabytes, usage.anonymous_megabytes);
}

}  // namespace

WatchedProcess::WatchedProcess(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.data()));
  arguments.push_back(nullptr);
  process_ = ::fork();
  if (process_ < 0)
    throw RunFailure(fmt::format("cannot start '{}': {}", command.front(), std::strerror(errno)));
  if (process_ > 0) return;
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::execv(arguments.front(), arguments.data());
  ::_exit(127);
}

WatchedProcess::~WatchedProcess() {
  if (!is_running_) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

bool WatchedProcess::is_running() {
  int status = 0;
  if (is_running_ && ::waitpid(process_, &status, WNOHANG) == process_) {
    is_running_ = false;
    exit_status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return is_running_;
}

std::optional<ProcessUsage> WatchedProcess::least_usage() const {
  std::optional<ProcessUsage> least;
  for (int look = 0; look < kLooks; ++look) {
    const auto usage = usage_of(process_);
    if (!usage) return std::nullopt;
    if (!least) least = usage;
    keep_least(*least, *usage);
    wait_between_looks();
  }
  return least;
}

std::int64_t LineCounter::count() {
  if (!stream_.is_open()) stream_.open(file_, std::ios::binary);
  if (!stream_.is_open()) return 0;
  stream_.clear();  // more may have come behind the end
  for (char byte = 0; stream_.get(byte);) count_ += byte == '\n' ? 1 : 0;
  return count_;
}

void wait_until_idle() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  for (int num_idle = 0; num_idle < 2;) {
    wait_between_looks();
    num_idle = other_threads_run() ? 0 : num_idle + 1;
    if (std::chrono::steady_clock::now() > give_up)
      throw RunFailure("the threads of this process do not come to rest");
  }
}

void wait_between_looks() {
  std::this_thread::sleep_for(kBetweenLooks);
}

}  // namespace vllama::tools

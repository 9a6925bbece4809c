// One of several processes, or threads, builds an index; all of them use it.
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <sstream>
#include <thread>

#include "core/files.h"
#include "tests/datasets/index/index_bench.h"

namespace vllama::datasets {
namespace {

using std::chrono::milliseconds;

// Runs `work` in a process of its own, which ends with the status 0 if it returns true.
template <class Work>
pid_t start_process(Work&& work) {
  const pid_t process = fork();
  if (process == 0) _exit(work() ? 0 : 1);
  REQUIRE(process > 0);
  return process;
}

int status_of(pid_t process) {
  int status = 0;
  waitpid(process, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

void append_line(const fs::path& path, const std::string& line) {
  std::ofstream(path, std::ios::app) << line + "\n";
}

// What is known of the mapping of a file in this process.
struct Mapping {
  std::string inode;
  std::int64_t dirty_kilobytes = 0;  // pages that this process has for itself
};

Mapping mapping_of(const fs::path& file) {
  std::ifstream smaps("/proc/self/smaps");
  Mapping found;
  bool is_inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::istringstream words(line);
    std::string range, flags, offset, device, inode, path;
    words >> range >> flags >> offset >> device >> inode >> path;
    if (range.find('-') != std::string::npos) {
      is_inside = path == file.string();
      if (is_inside) found.inode = inode;
    } else if (is_inside && range == "Private_Dirty:") {
      found.dirty_kilobytes += std::stoll(flags);
    }
  }
  return found;
}

}  // namespace

TEST_CASE("four processes that start together build one index and share its memory") {
  Bench bench;
  std::vector<pid_t> processes;
  for (int i = 0; i < 4; ++i)
    processes.push_back(start_process([&] {
      const Index index = open_index(bench.folder(), bench.key(), [&] {
        append_line(bench.builds(), "built");
        std::this_thread::sleep_for(milliseconds(300));
        return example_content();
      });
      const Mapping mapping = mapping_of(bench.index_file());
      append_line(bench.builds(), mapping.inode);
      return index.array<Pair>("pairs")[1].second == 4 && mapping.dirty_kilobytes == 0;
    }));
  for (const pid_t process : processes) CHECK(status_of(process) == 0);
  struct stat facts {};
  REQUIRE(stat(bench.index_file().c_str(), &facts) == 0);
  const std::string inode = std::to_string(facts.st_ino) + "\n";
  CHECK(read_file(bench.builds()) == "built\n" + inode + inode + inode + inode);
}

TEST_CASE("threads of one process build one index, too") {
  Bench bench;
  std::atomic<int> num_builds = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i)
      threads.emplace_back([&] {
        open_index(bench.folder(), bench.key(), [&] {
          ++num_builds;
          std::this_thread::sleep_for(milliseconds(50));
          return example_content();
        });
      });
  }
  CHECK(num_builds == 1);
}

TEST_CASE("a builder that is killed leaves a state in which the next one builds") {
  Bench bench;
  const pid_t builder = start_process([&] {
    open_index(bench.folder(), bench.key(), [&] {
      append_line(bench.builds(), "begun");
      std::this_thread::sleep_for(milliseconds(60'000));
      return example_content();
    });
    return true;
  });
  while (!fs::exists(bench.builds())) std::this_thread::sleep_for(milliseconds(1));
  // Another one waits meanwhile, and takes over.
  const pid_t waiting = start_process([&] {
    open_index(bench.folder(), bench.key(), [&] {
      append_line(bench.builds(), "taken over");
      return example_content();
    });
    return true;
  });
  std::this_thread::sleep_for(milliseconds(100));
  CHECK(read_file(bench.builds()) == "begun\n");
  kill(builder, SIGKILL);
  CHECK(status_of(builder) == 128 + SIGKILL);
  CHECK(status_of(waiting) == 0);
  CHECK(read_file(bench.builds()) == "begun\ntaken over\n");
  check_example(bench.open());
  CHECK(bench.num_builds == 0);
}

}  // namespace vllama::datasets

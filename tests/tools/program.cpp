#include "tests/tools/program.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <thread>

#include "core/files.h"
#include "tests/support/fixtures.h"

namespace vllama::test {
namespace {

int status_of(int wait_status) {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

}  // namespace

Outcome run_program(const std::string& arguments, const std::string& before) {
  const TemporaryFolder folder;
  const std::string log = folder.path() / "output";
  const std::string command =
      before + "exec '" VLLAMA_PROGRAM "' " + arguments + " >'" + log + "' 2>&1";
  const int wait_status = std::system(command.c_str());
  return {status_of(wait_status), read_file(log)};
}

BackgroundProgram::BackgroundProgram(const std::string& arguments) : process_(::fork()) {
  if (process_ != 0) return;
  const std::string command = "exec '" VLLAMA_PROGRAM "' " + arguments + " >/dev/null 2>&1";
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  ::_exit(127);
}

BackgroundProgram::~BackgroundProgram() {
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void BackgroundProgram::signal(int number) const {
  ::kill(process_, number);
}

int BackgroundProgram::wait() {
  int wait_status = 0;
  REQUIRE(::waitpid(process_, &wait_status, 0) == process_);
  process_ = 0;
  return status_of(wait_status);
}

std::filesystem::path write_config(const train::RunConfig& config,
                                   const std::filesystem::path& file) {
  write_file_atomically(file, config::dump(config));
  return file;
}

void wait_for_lines(const std::filesystem::path& file, std::int64_t num_lines) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < give_up) {
    std::ifstream stream(file);
    if (std::count(std::istreambuf_iterator<char>(stream), {}, '\n') >= num_lines) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  FAIL(file << " did not reach " << num_lines << " lines");
}

}  // namespace vllama::test

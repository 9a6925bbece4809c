#include "tools/bench/local_ranks.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/files.h"

namespace vllama::tools {
namespace {

constexpr const char* kAddress = "127.0.0.1";

[[noreturn]] void system_failed(const char* what) {
  throw RunFailure(fmt::format("{}: {}", what, std::strerror(errno)));
}

// A port that nobody listens on.
std::uint16_t free_port() {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) system_failed("cannot open a socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = ::htonl(INADDR_LOOPBACK);
  socklen_t length = sizeof address;
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool is_known =
      ::bind(socket, generic, length) == 0 && ::getsockname(socket, generic, &length) == 0;
  ::close(socket);
  if (!is_known) system_failed("cannot find a free port");
  return ::ntohs(address.sin_port);
}

std::vector<std::string> own_command() {
  std::vector<std::string> arguments;
  std::string text;
  for (const char byte : read_file("/proc/self/cmdline")) {
    if (byte != '\0') {
      text += byte;
      continue;
    }
    arguments.push_back(text);
    text.clear();
  }
  return arguments;
}

pid_t start_rank(const std::vector<std::string>& command, std::int64_t rank, std::int64_t num_ranks,
                 std::uint16_t port) {
  const pid_t process = ::fork();
  if (process < 0) system_failed("cannot start a process");
  if (process > 0) return process;
  const auto set = [](const char* name, const std::string& value) {
    ::setenv(name, value.c_str(), 1);
  };
  set("RANK", std::to_string(rank));
  set("LOCAL_RANK", std::to_string(rank));
  set("WORLD_SIZE", std::to_string(num_ranks));
  set("LOCAL_WORLD_SIZE", std::to_string(num_ranks));
  set("MASTER_ADDR", kAddress);
  set("MASTER_PORT", std::to_string(port));
  std::vector<char*> arguments;
  for (const std::string& argument : command)
    arguments.push_back(const_cast<char*>(argument.data()));
  arguments.push_back(nullptr);
  ::execv("/proc/self/exe", arguments.data());
  ::_exit(127);
}

}  // namespace

void run_as_local_ranks(std::int64_t num_ranks) {
  const auto command = own_command();
  const std::uint16_t port = free_port();
  std::vector<pid_t> running;
  for (std::int64_t rank = 0; rank < num_ranks; ++rank)
    running.push_back(start_rank(command, rank, num_ranks, port));
  std::string problem;
  while (!running.empty()) {
    int status = 0;
    const pid_t ended = ::waitpid(-1, &status, 0);
    if (ended < 0) system_failed("cannot wait for a process");
    std::erase(running, ended);
    if (status == 0 || !problem.empty()) continue;
    problem = WIFSIGNALED(status)
                  ? fmt::format("a rank was ended by signal {}", WTERMSIG(status))
                  : fmt::format("a rank ended with exit status {}", WEXITSTATUS(status));
    for (const pid_t process : running) ::kill(process, SIGTERM);
  }
  if (!problem.empty()) throw RunFailure(problem);
}

}  // namespace vllama::tools

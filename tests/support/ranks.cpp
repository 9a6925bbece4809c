#include "tests/support/ranks.h"

#include <arpa/inet.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/files.h"

namespace vllama::test {

// The socket stays bound without listening, so that the system gives its port to nobody who asks
// for any. It may be used again by name: a listener that allows the same shares it.
HeldPort::HeldPort() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  number_ = ntohs(address.sin_port);
  const int yes = 1;
  REQUIRE(::setsockopt(socket_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0);
}

HeldPort::~HeldPort() {
  ::close(socket_);
}

Ranks::Ranks(std::int64_t num_ranks, const std::string& command)
    : Ranks(std::vector<std::string>(static_cast<std::size_t>(num_ranks), command)) {}

Ranks::Ranks(const std::vector<std::string>& commands,
             const std::map<std::string, std::string>& variables) {
  std::map<std::string, std::string> environment{
      {"MASTER_ADDR", "127.0.0.1"},
      {"MASTER_PORT", std::to_string(port_.number())},
      {"WORLD_SIZE", std::to_string(commands.size())},
      {"LOCAL_WORLD_SIZE", std::to_string(commands.size())}};
  for (std::size_t rank = 0; rank < commands.size(); ++rank) {
    environment["RANK"] = environment["LOCAL_RANK"] = std::to_string(rank);
    for (const auto& [name, value] : variables) environment[name] = value;
    std::string assignments;
    for (const auto& [name, value] : environment) assignments += name + "='" + value + "' ";
    const std::string log = folder_.path() / ("rank" + std::to_string(rank));
    const std::string command = "exec env " + assignments + commands[rank] + " >'" + log + "' 2>&1";
    const pid_t process = ::fork();
    if (process == 0) {
      ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
    processes_.push_back(process);
  }
}

Ranks::~Ranks() {
  for (const pid_t process : processes_) {
    if (process == 0) continue;
    ::kill(process, SIGKILL);
    ::waitpid(process, nullptr, 0);
  }
}

void Ranks::signal(std::size_t rank, int number) const {
  ::kill(processes_[rank], number);
}

std::string Ranks::output(std::size_t rank) const {
  const auto log = folder_.path() / ("rank" + std::to_string(rank));
  return std::filesystem::exists(log) ? read_file(log) : "";
}

RankOutcome Ranks::wait(std::size_t rank, double limit_seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(limit_seconds);
  int status = 0;
  while (::waitpid(processes_[rank], &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > end)
      FAIL("rank " << rank << " did not end within " << limit_seconds << " s:\n" << output(rank));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  processes_[rank] = 0;
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), output(rank)};
}

std::vector<RankOutcome> Ranks::wait_all(double limit_seconds) {
  std::vector<RankOutcome> outcomes;
  for (std::size_t rank = 0; rank < processes_.size(); ++rank)
    outcomes.push_back(wait(rank, limit_seconds));
  return outcomes;
}

}  // namespace vllama::test

#include "tests/tools/terminal.h"

#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>

namespace vllama::test {

Terminal::Terminal(const std::string& arguments, const std::string& before) {
  winsize size{};
  size.ws_row = 24;
  size.ws_col = 80;
  const std::string command = before + "exec '" VLLAMA_PROGRAM "' " + arguments;
  process_ = ::forkpty(&keyboard_, nullptr, nullptr, &size);
  REQUIRE(process_ >= 0);
  if (process_ != 0) return;
  ::execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
  ::_exit(127);
}

Terminal::~Terminal() {
  ::close(keyboard_);
  if (process_ <= 0) return;
  ::kill(process_, SIGKILL);
  ::waitpid(process_, nullptr, 0);
}

void Terminal::type(const std::string& keys) const {
  REQUIRE(::write(keyboard_, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
}

// False when the program has closed the terminal.
bool Terminal::read_some() {
  pollfd waiting{keyboard_, POLLIN, 0};
  if (::poll(&waiting, 1, /*milliseconds=*/100) <= 0) return true;
  char piece[4096];
  const ssize_t size = ::read(keyboard_, piece, sizeof piece);
  if (size > 0) shown_.append(piece, static_cast<std::size_t>(size));
  return size > 0;
}

bool Terminal::shows(const std::string& text, int milliseconds) {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (shown_.find(text) == std::string::npos)
    if (std::chrono::steady_clock::now() > give_up || !read_some()) return false;
  return true;
}

std::string Terminal::wait_for(const std::string& text) {
  if (!shows(text, 60'000)) FAIL("'" << text << "' was not shown, but: " << shown_);
  const std::size_t end = shown_.find(text) + text.size();
  const std::string before = shown_.substr(0, end);
  shown_.erase(0, end);
  return before;
}

int Terminal::wait() {
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (read_some())
    if (std::chrono::steady_clock::now() > give_up) FAIL("the program goes on: " << shown_);
  int status = 0;
  REQUIRE(::waitpid(process_, &status, 0) == process_);
  process_ = 0;
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace vllama::test

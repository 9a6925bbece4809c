#include "tests/support/child.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <exception>

namespace vllama::test {

Child::Child(const std::function<void()>& work) : process_(::fork()) {
  REQUIRE(process_ >= 0);
  if (process_ > 0) return;
  // Nothing of the copied test may run on: neither its destructors nor its exit handlers.
  try {
    work();
  } catch (const std::exception& failure) {
    std::fputs(failure.what(), stderr);
    ::_exit(1);
  }
  ::_exit(0);
}

Child::~Child() {
  if (!has_ended_) kill();
}

bool Child::kill() {
  ::kill(process_, SIGKILL);
  int status = 0;
  while (::waitpid(process_, &status, 0) == process_ && WIFSTOPPED(status)) {
  }
  has_ended_ = true;
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

std::string text_from_child(const std::function<std::string()>& work) {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  std::string text;
  {
    const Child child([&] {
      std::string result;
      try {
        result = work();
      } catch (const std::exception& failure) {
        result = failure.what();
      }
      if (::write(ends[1], result.data(), result.size()) < 0) ::_exit(1);
    });
    ::close(ends[1]);
    char piece[4096];
    for (ssize_t size; (size = ::read(ends[0], piece, sizeof piece)) > 0;)
      text.append(piece, static_cast<std::size_t>(size));
  }
  ::close(ends[0]);
  return text;
}

bool mount_small_disk(const std::filesystem::path& folder, std::size_t num_bytes) {
  const int spaces = CLONE_NEWNS | (::geteuid() == 0 ? 0 : CLONE_NEWUSER);
  const std::string size = "size=" + std::to_string(num_bytes);
  return ::unshare(spaces) == 0 &&
         ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("none", folder.c_str(), "tmpfs", 0, size.c_str()) == 0;
}

bool make_disk_read_only(const std::filesystem::path& folder) {
  return ::mount("none", folder.c_str(), "tmpfs", MS_REMOUNT | MS_RDONLY, nullptr) == 0;
}

}  // namespace vllama::test

#include "tests/checkpoint/traced_child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>

namespace vllama::test {
namespace {

namespace fs = std::filesystem;

using Arguments = std::array<std::uint64_t, 6>;

std::string text_at(pid_t process, std::uint64_t address) {
  std::string text;
  for (char byte = 0;; text += byte) {
    iovec here{&byte, 1}, there{reinterpret_cast<void*>(address + text.size()), 1};
    if (::process_vm_readv(process, &here, 1, &there, 1, 0) != 1 || byte == '\0') return text;
  }
}

fs::path descriptor_path(pid_t process, std::uint64_t descriptor) {
  std::error_code error;
  return fs::read_symlink(
      "/proc/" + std::to_string(process) + "/fd/" + std::to_string(static_cast<int>(descriptor)),
      error);
}

fs::path path_at(pid_t process, std::uint64_t folder, std::uint64_t address) {
  const fs::path path = text_at(process, address);
  if (path.is_absolute() || static_cast<int>(folder) == AT_FDCWD) return path;
  return descriptor_path(process, folder) / path;
}

constexpr auto kHere = static_cast<std::uint64_t>(AT_FDCWD);

// The calls by which the C++ library changes files on any Linux; nothing for all others.
std::optional<FileChange> change(pid_t process, std::uint64_t number, const Arguments& a) {
  const auto at = [&](std::uint64_t folder, std::uint64_t address) {
    return path_at(process, folder, address);
  };
  switch (number) {
    case SYS_write:
      return FileChange{"write", descriptor_path(process, a[0]), {}};
    case SYS_fsync:
      return FileChange{"fsync", descriptor_path(process, a[0]), {}};
    case SYS_renameat:
    case SYS_renameat2:
      return FileChange{"rename", at(a[0], a[1]), at(a[2], a[3])};
    case SYS_unlinkat:
      return FileChange{"remove", at(a[0], a[1]), {}};
    case SYS_mkdirat:
      return FileChange{"create", at(a[0], a[1]), {}};
    case SYS_openat:
      if ((a[2] & O_CREAT) == 0) return std::nullopt;
      return FileChange{"create", at(a[0], a[1]), {}};
#ifdef SYS_rename
    case SYS_rename:
      return FileChange{"rename", at(kHere, a[0]), at(kHere, a[1])};
    case SYS_unlink:
    case SYS_rmdir:
      return FileChange{"remove", at(kHere, a[0]), {}};
    case SYS_mkdir:
      return FileChange{"create", at(kHere, a[0]), {}};
#endif
    default:
      return std::nullopt;
  }
}

}  // namespace

TracedChild::TracedChild(const std::function<void()>& work)
    : child_([&] {
        ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
        ::raise(SIGSTOP);
        work();
      }) {
  is_traced_ = wait_for_stop() && ::ptrace(PTRACE_SETOPTIONS, child_.process(), nullptr,
                                           PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) == 0;
}

bool TracedChild::wait_for_stop() {
  int status = 0;
  return ::waitpid(child_.process(), &status, WUNTRACED) == child_.process() && WIFSTOPPED(status);
}

std::optional<FileChange> TracedChild::next() {
  while (::ptrace(PTRACE_SYSCALL, child_.process(), nullptr, nullptr) == 0 && wait_for_stop()) {
    __ptrace_syscall_info info{};
    ::ptrace(PTRACE_GET_SYSCALL_INFO, child_.process(), sizeof info, &info);
    if (info.op != PTRACE_SYSCALL_INFO_ENTRY) continue;
    Arguments arguments{};
    for (std::size_t i = 0; i < arguments.size(); ++i) arguments[i] = info.entry.args[i];
    if (auto found = change(child_.process(), info.entry.nr, arguments)) return found;
  }
  return std::nullopt;
}

}  // namespace vllama::test

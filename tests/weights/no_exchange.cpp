#include "tests/weights/no_exchange.h"

#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>

#include "tests/support/child.h"

namespace vllama::test {

bool forbid_exchange() {
  constexpr auto kNumberAt = offsetof(seccomp_data, nr);
  constexpr auto kFlagsAt = offsetof(seccomp_data, args) + 4 * sizeof(__u64);
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kNumberAt),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_renameat2, 0, 3),
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kFlagsAt),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EINVAL),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof *program, program};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0;
}

bool can_forbid_exchange() {
  return text_from_child([] {
           const bool forbidden = forbid_exchange() &&
                                  ::renameat2(AT_FDCWD, "/", AT_FDCWD, "/", RENAME_EXCHANGE) != 0 &&
                                  errno == EINVAL;
           return std::string(forbidden ? "forbidden" : "not possible");
         }) == "forbidden";
}

}  // namespace vllama::test

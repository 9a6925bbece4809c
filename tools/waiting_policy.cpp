// Lets threads of CPU mathematics that wait for each other sleep. The OpenMP library that comes
// with libtorch lets them spin, each on its core: while another program, or another rank, needs
// that core, the one that all wait for does not get it, and a step takes many times as long.
//
// The library reads OMP_WAIT_POLICY before main begins, in a constructor, and takes no word later.
// A function of the program itself that runs before any constructor cannot change the environment,
// which the C library fills afterwards; but it can start the program once more, with another one.
// Nothing has been done yet at that point, so that this costs a millisecond.
#include <unistd.h>

#include <climits>
#include <cstddef>

namespace {

constexpr char kPassive[] = "OMP_WAIT_POLICY=PASSIVE";
constexpr const char* kUsersWord[] = {"OMP_WAIT_POLICY=", "GOMP_SPINCOUNT="};

constexpr std::size_t kMostVariables = 8192;

// Neither the C library nor a sanitizer is ready: no function but system calls is used.
bool begins_with(const char* text, const char* beginning) {
  while (*beginning != '\0')
    if (*text++ != *beginning++) return false;
  return true;
}

// Leaves the waiting to the user who has set it. Where the program cannot be started again
// (it was removed from the disk, or its environment is huge), threads spin as before.
__attribute__((no_sanitize("address", "undefined"))) void start_again_to_wait_passively(
    int, char** arguments, char** environment) {
  char* variables[kMostVariables + 2];
  std::size_t count = 0;
  for (; environment[count] != nullptr; ++count) {
    if (count == kMostVariables) return;
    for (const char* word : kUsersWord)
      if (begins_with(environment[count], word)) return;
    variables[count] = environment[count];
  }
  variables[count] = const_cast<char*>(kPassive);
  variables[count + 1] = nullptr;
  char program[PATH_MAX];
  const ssize_t length = ::readlink("/proc/self/exe", program, sizeof program - 1);
  if (length <= 0) return;
  program[length] = '\0';
  ::execve(program, arguments, variables);
}

using EarlyFunction = void (*)(int, char**, char**);
[[gnu::section(".preinit_array"), gnu::used]] EarlyFunction early_function =
    &start_again_to_wait_passively;

}  // namespace

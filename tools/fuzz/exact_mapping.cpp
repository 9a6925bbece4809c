// Maps files into memory of exactly their size, so that the address sanitizer sees a read past the
// end of one: the linker sends the calls of mmap, munmap and madvise in our own libraries here.
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <set>

extern "C" {

void* __real_mmap(void* address, std::size_t length, int protection, int flags, int descriptor,
                  off_t offset);
int __real_munmap(void* address, std::size_t length);

}  // extern "C"

namespace {

// The copies that stand in for mappings.
std::set<void*>& copies() {
  static auto* set = new std::set<void*>;
  return *set;
}

bool fill(std::byte* target, std::size_t length, int descriptor, off_t offset) {
  std::size_t done = 0;
  while (done < length) {
    const ssize_t count =
        ::pread(descriptor, target + done, length - done, offset + static_cast<off_t>(done));
    if (count <= 0) return false;
    done += static_cast<std::size_t>(count);
  }
  return true;
}

}  // namespace

extern "C" {

void* __wrap_mmap(void* address, std::size_t length, int protection, int flags, int descriptor,
                  off_t offset) {
  if (descriptor < 0) return __real_mmap(address, length, protection, flags, descriptor, offset);
  auto* copy = static_cast<std::byte*>(std::malloc(length));
  if (copy == nullptr || !fill(copy, length, descriptor, offset)) {
    std::free(copy);
    errno = EIO;
    return MAP_FAILED;
  }
  copies().insert(copy);
  return copy;
}

int __wrap_munmap(void* address, std::size_t length) {
  if (copies().erase(address) == 0) return __real_munmap(address, length);
  std::free(address);
  return 0;
}

// Pages that are let go come back from a file, but not from a copy.
int __wrap_madvise(void*, std::size_t, int) {
  return 0;
}

}  // extern "C"

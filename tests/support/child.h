// Work that a test does in a process of its own, because it changes or kills the process.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

namespace vllama::test {

// A forked copy of this process that does `work` and ends; killed and collected by the destructor
// if it is still there. Only this thread is copied: `work` must not rely on other threads, those of
// OpenMP included.
class Child {
 public:
  explicit Child(const std::function<void()>& work);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t process() const { return process_; }
  // SIGKILL. False if it had ended before.
  bool kill();

 private:
  pid_t process_;
  bool has_ended_ = false;
};

// Text that `work` returns in a process of its own, or the message of what it threw.
std::string text_from_child(const std::function<std::string()>& work);

// Gives this process an empty file system of `num_bytes` in memory at `folder`, seen by no other
// process. False where the machine does not permit it.
bool mount_small_disk(const std::filesystem::path& folder, std::size_t num_bytes);
// Makes that file system read-only.
bool make_disk_read_only(const std::filesystem::path& folder);

}  // namespace vllama::test

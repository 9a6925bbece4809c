// A child process that stops before every system call that changes files.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/child.h"

namespace vllama::test {

struct FileChange {
  std::string call;              // "write", "fsync", "rename", "remove", "create"
  std::filesystem::path path;    // what it applies to
  std::filesystem::path target;  // of a rename
};

class TracedChild {
 public:
  explicit TracedChild(const std::function<void()>& work);

  // False where the system does not permit tracing.
  bool is_traced() const { return is_traced_; }

  // Lets the child run up to the next call that changes files, which has then not been done;
  // nothing when the child has ended.
  std::optional<FileChange> next();

  // SIGKILL; the call that next() gave is never done.
  void kill() { child_.kill(); }

 private:
  bool wait_for_stop();

  Child child_;
  bool is_traced_ = false;
};

}  // namespace vllama::test

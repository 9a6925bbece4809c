// Runs the built program in a terminal of its own, for what a user types and sees there.
#pragma once

#include <sys/types.h>

#include <string>

namespace vllama::test {

class Terminal {
 public:
  // `arguments` is shell text; `before` is shell text that runs first in the same shell.
  Terminal(const std::string& arguments, const std::string& before);
  ~Terminal();
  Terminal(const Terminal&) = delete;
  Terminal& operator=(const Terminal&) = delete;

  void type(const std::string& keys) const;
  // Reads until what the program has shown since the last call ends in, or has in it, `text`; fails
  // the test after a minute. Returns what was shown up to there.
  std::string wait_for(const std::string& text);
  // Whether it shows `text` within so many milliseconds.
  bool shows(const std::string& text, int milliseconds);
  int wait();  // for its end; the exit status, 128 + n when signal n killed it

 private:
  bool read_some();

  int keyboard_ = -1;
  pid_t process_ = 0;
  std::string shown_;
};

inline constexpr const char *kUp = "\x1b[A", *kLeft = "\x1b[D", *kHome = "\x1b[H", *kEnter = "\r",
                            *kBackspace = "\x7f", *kControlC = "\x03", *kControlD = "\x04";

}  // namespace vllama::test

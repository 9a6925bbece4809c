// Lines that a user typed, kept between runs in a file that nobody else reads.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace vllama::tools {

class LineHistory {
 public:
  // Reads the newest lines of the file, if it is there. An empty path keeps nothing.
  explicit LineHistory(std::filesystem::path file);

  // Oldest first.
  const std::vector<std::string>& lines() const { return lines_; }

  // Appends to the file at once, so that chats at the same time, and one that is killed, lose none;
  // the same line again in a row is left out. The file and its folder are made for the user alone.
  // If it cannot be written a warning says so, once, and the lines stay in memory.
  void add(const std::string& line);

 private:
  void append(const std::string& line);

  std::filesystem::path file_;
  std::vector<std::string> lines_;
};

// $XDG_STATE_HOME/vllama/chat_history, by default ~/.local/state/vllama/chat_history; empty for a
// user without a home.
std::filesystem::path chat_history_file();

}  // namespace vllama::tools

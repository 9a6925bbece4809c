#include "tools/terminal/line_history.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <sstream>

#include "core/error.h"
#include "core/files.h"
#include "core/log.h"

namespace vllama::tools {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kMostLines = 1000;
// A file that has grown beyond this is cut to its newest lines.
constexpr std::size_t kMostBytes = 1 << 20;
constexpr std::size_t kMostLineBytes = 1 << 14;

fs::path absolute_path_in(const char* name) {
  const char* value = std::getenv(name);
  const fs::path path(value == nullptr ? "" : value);
  return path.is_absolute() ? path : fs::path();
}

// The end of the file, beginning with a whole line.
std::string newest_text(const fs::path& file) {
  std::error_code unknown;
  if (file.empty() || !fs::is_regular_file(file, unknown) || fs::file_size(file, unknown) == 0)
    return "";
  const auto mapped = MappedFile::open(file);
  const std::string_view text = mapped->text();
  if (text.size() <= kMostBytes) return std::string(text);
  const std::string_view end = text.substr(text.size() - kMostBytes);
  return std::string(end.substr(std::min(end.find('\n'), end.size() - 1) + 1));
}

[[noreturn]] void fail(const fs::path& path) {
  throw RunFailure(fmt::format("cannot write '{}': {}", path.string(), std::strerror(errno)));
}

}  // namespace

LineHistory::LineHistory(fs::path file) : file_(std::move(file)) {
  try {
    std::istringstream text(newest_text(file_));
    for (std::string line; std::getline(text, line);)
      if (!line.empty() && line.size() <= kMostLineBytes) lines_.push_back(line);
  } catch (const UserError& problem) {
    log::warn("earlier lines of chats are not there: {}", problem.what());
  }
  if (lines_.size() > kMostLines)
    lines_.erase(lines_.begin(), lines_.end() - static_cast<std::ptrdiff_t>(kMostLines));
}

void LineHistory::add(const std::string& line) {
  if (line.size() > kMostLineBytes || (!lines_.empty() && lines_.back() == line)) return;
  lines_.push_back(line);
  if (file_.empty()) return;
  try {
    append(line);
  } catch (const RunFailure& failure) {
    log::warn("lines of this chat are not kept for the next one: {}", failure.what());
    file_.clear();
  }
}

void LineHistory::append(const std::string& line) {
  std::error_code error;
  fs::create_directories(file_.parent_path().parent_path(), error);
  if (::mkdir(file_.parent_path().c_str(), S_IRWXU) != 0 && errno != EEXIST)
    fail(file_.parent_path());
  const bool is_long =
      fs::is_regular_file(file_, error) && fs::file_size(file_, error) > kMostBytes;
  if (is_long) {
    std::string text;
    for (const std::string& kept : lines_) text += kept + "\n";
    write_file_atomically(file_, text);
  }
  const int descriptor = ::open(
      file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, S_IRUSR | S_IWUSR);
  if (descriptor < 0) fail(file_);
  struct stat state {};
  const bool is_file = ::fstat(descriptor, &state) == 0 && S_ISREG(state.st_mode);
  if (is_file && (state.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    ::fchmod(descriptor, S_IRUSR | S_IWUSR);
  const std::string text = line + "\n";
  const bool is_written =
      is_long || ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int reason = errno;
  ::close(descriptor);
  errno = reason;
  if (!is_written) fail(file_);
}

fs::path chat_history_file() {
  if (const fs::path state = absolute_path_in("XDG_STATE_HOME"); !state.empty())
    return state / "vllama/chat_history";
  const fs::path home = absolute_path_in("HOME");
  return home.empty() ? fs::path() : home / ".local/state/vllama/chat_history";
}

}  // namespace vllama::tools

#include "tools/fuzz/input.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "core/log.h"

namespace vllama::fuzz {
namespace {

namespace fs = std::filesystem;

// Named before the first execution, and removed with all that is in it at the end.
class ProcessFolder {
 public:
  ProcessFolder() {
    std::string name = (fs::temp_directory_path() / "vllama-fuzz-XXXXXX").string();
    require(::mkdtemp(name.data()) != nullptr, "a temporary folder can be made");
    path_ = name;
    log::quiet();
  }
  ~ProcessFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

}  // namespace

std::size_t Input::choice(std::size_t count) {
  if (rest_.empty()) return 0;
  const auto byte = static_cast<unsigned char>(rest_.front());
  rest_.remove_prefix(1);
  return byte % count;
}

std::string_view Input::part() {
  const std::size_t end = rest_.find('\0');
  const std::string_view found = rest_.substr(0, end);
  rest_.remove_prefix(end == std::string_view::npos ? rest_.size() : end + 1);
  return found;
}

std::vector<std::byte> exact(std::string_view bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

const fs::path& process_folder() {
  static const ProcessFolder folder;
  return folder.path();
}

InputFile::InputFile(const fs::path& path)
    : path_(path), descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
  require(descriptor_ >= 0, "the file of the input can be made");
}

InputFile::~InputFile() {
  ::close(descriptor_);
}

const fs::path& InputFile::write(std::string_view bytes) {
  const bool done =
      ::ftruncate(descriptor_, 0) == 0 &&
      ::pwrite(descriptor_, bytes.data(), bytes.size(), 0) == static_cast<ssize_t>(bytes.size());
  require(done, "the file of the input can be written");
  return path_;
}

void write_fixed(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  require(file.good(), "a fixed file can be written");
}

void require(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace vllama::fuzz

// The bytes of one execution, taken apart or laid down as a file, and what counts as an answer to
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.h"

namespace vllama::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size)
      : rest_(reinterpret_cast<const char*>(data), size), num_bytes_(size) {}

  // A number below `count` from the next byte; 0 when there is none. Seeds write the number itself.
  std::size_t choice(std::size_t count);
  // The bytes before the next zero byte, which is passed over, or all that are left.
  std::string_view part();
  std::string_view rest() const { return rest_; }
  // True for one input in eight, for what is slow and goes the same ways once more.
  bool is_eighth() const { return num_bytes_ % 8 == 0; }

 private:
  std::string_view rest_;
  std::size_t num_bytes_;
};

// Bytes in memory of their exact size, so that the address sanitizer sees a read past the end.
std::vector<std::byte> exact(std::string_view bytes);

// A folder of this process, below the folder for temporary files, removed when it ends.
const std::filesystem::path& process_folder();

// A file whose content is replaced by every execution; a path is all that some interfaces take.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  const std::filesystem::path& write(std::string_view bytes);

 private:
  std::filesystem::path path_;
  int descriptor_;
};

// Writes a file that no execution changes.
void write_fixed(const std::filesystem::path& path, std::string_view bytes);

// Ends the process, which counts as a finding, unless the promise holds.
void require(bool holds, const char* promise);

// Runs `read`, which may answer with a UserError or one of `Errors`; all else ends the process.
template <class... Errors, class Read>
void answers(Read&& read) {
  try {
    read();
  } catch (const UserError&) {
  } catch (const std::exception& error) {
    if (!((dynamic_cast<const Errors*>(&error) != nullptr) || ...)) throw;
  }
}

}  // namespace vllama::fuzz

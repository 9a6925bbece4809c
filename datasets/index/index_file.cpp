#include "datasets/index/index_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bit>
#include <cerrno>
#include <cstring>
#include <optional>

#include "core/descriptor.h"
#include "core/files.h"
#include "core/hash.h"
#include "core/log.h"
#include "core/waiting.h"

namespace vllama::datasets {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMagic = 0x3158444e494c4c56;  // "VLLINDX1"
// Grows with every change of the structs below, or of how they are checked.
constexpr std::uint64_t kLayout = 1;

// A file is Preamble, Directory, an ArrayPlace for each array, the key's text, the arrays; each of
// them begins at a multiple of 8 bytes. Numbers are those of the machine.
struct Preamble {
  std::uint64_t magic, layout, file_bytes, checksum;  // of all that follows
};
struct Directory {
  std::uint64_t key_bytes, num_arrays;
};
struct ArrayPlace {
  char name[16];  // ends in a zero
  std::uint64_t begin, num_bytes, entry_bytes;
};

std::uint64_t padded(std::uint64_t num_bytes) {
  return (num_bytes + 7) / 8 * 8;
}

// Any change of one word changes the sum, and the rotation spreads it.
std::uint64_t continue_checksum(std::uint64_t sum, std::span<const std::byte> words) {
  for (std::size_t i = 0; i < words.size(); i += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, words.data() + i, 8);
    sum = std::rotl(sum ^ word, 29) * 0x9e3779b97f4a7c15;
  }
  return sum;
}

template <class Value>
void append(std::string& bytes, const Value& value) {
  bytes.append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Everything in front of the arrays.
std::string encode_head(const IndexContent& content, const std::string& key_text) {
  std::string body;
  append(body, Directory{key_text.size(), content.arrays().size()});
  std::uint64_t begin = sizeof(Preamble) + sizeof(Directory) +
                        content.arrays().size() * sizeof(ArrayPlace) + padded(key_text.size());
  for (const auto& array : content.arrays()) {
    ArrayPlace place{{}, begin, array.num_bytes, array.entry_bytes};
    VLLAMA_ASSERT(array.name.size() < sizeof(place.name), "names of arrays are short");
    array.name.copy(place.name, sizeof(place.name) - 1);
    append(body, place);
    begin += array.padded.size();
  }
  body += key_text;
  body.resize(padded(body.size()));
  std::uint64_t checksum = continue_checksum(0, std::as_bytes(std::span(body)));
  for (const auto& array : content.arrays()) checksum = continue_checksum(checksum, array.padded);
  std::string head;
  append(head, Preamble{kMagic, kLayout, begin, checksum});
  return head + body;
}

void write_index(const fs::path& path, const IndexContent& content, const std::string& key_text) {
  AtomicFile file(path);
  file.append(encode_head(content, key_text));
  for (const auto& array : content.arrays()) file.append(array.padded);
  file.commit();
}

// Reads a value behind `position`, or nothing at the end.
template <class Value>
std::optional<Value> take(std::span<const std::byte> bytes, std::uint64_t& position) {
  if (bytes.size() < position || bytes.size() - position < sizeof(Value)) return std::nullopt;
  Value value;
  std::memcpy(&value, bytes.data() + position, sizeof(Value));
  position += sizeof(Value);
  return value;
}

// What is wrong with an index file, for the log.
struct Damage : std::runtime_error {
  using std::runtime_error::runtime_error;
};

void require(bool condition, const char* what) {
  if (!condition) throw Damage(what);
}

// Throws Damage unless the file is whole and of this key.
Index decode(std::shared_ptr<const MappedFile> file, const std::string& key_text) {
  const auto bytes = file->bytes();
  std::uint64_t position = 0;
  const auto preamble = take<Preamble>(bytes, position);
  require(preamble && preamble->magic == kMagic && preamble->layout == kLayout,
          "it is no index of this version");
  require(preamble->file_bytes == bytes.size() && bytes.size() % 8 == 0, "its size is wrong");
  require(continue_checksum(0, bytes.subspan(sizeof(Preamble))) == preamble->checksum,
          "its checksum is wrong");
  file->release_pages(0, bytes.size());
  const auto directory = take<Directory>(bytes, position);
  require(directory && directory->num_arrays <= bytes.size() / sizeof(ArrayPlace),
          "its directory is cut");
  std::vector<Index::Array> arrays;
  for (std::uint64_t i = 0; i < directory->num_arrays; ++i) {
    const auto place = take<ArrayPlace>(bytes, position);
    require(place && place->begin % 8 == 0 && place->begin <= bytes.size() &&
                place->num_bytes <= bytes.size() - place->begin && place->entry_bytes > 0 &&
                place->num_bytes % place->entry_bytes == 0 && place->name[15] == 0,
            "an array is not inside it");
    arrays.push_back(
        {place->name, place->entry_bytes, bytes.subspan(place->begin, place->num_bytes)});
  }
  require(directory->key_bytes <= bytes.size() - position &&
              file->text().substr(position, directory->key_bytes) == key_text,
          "it is of other files");
  return {std::move(arrays), std::move(file)};
}

// The index of this key. If there is none, `problem` says what is wrong with the file, or is empty
// if there is no file.
std::optional<Index> read_index(const fs::path& path, const std::string& key_text,
                                std::string& problem) {
  std::error_code ignored;
  problem.clear();
  if (!fs::exists(path, ignored)) return std::nullopt;
  try {
    return decode(MappedFile::open(path), key_text);
  } catch (const Damage& damage) {
    problem = damage.what();
  } catch (const UserError& error) {
    problem = error.what();
  }
  return std::nullopt;
}

Index in_memory(const IndexContent& content) {
  std::vector<Index::Array> arrays;
  auto owners = std::make_shared<std::vector<std::shared_ptr<const void>>>();
  for (const auto& array : content.arrays()) {
    arrays.push_back({array.name, array.entry_bytes, array.padded.first(array.num_bytes)});
    owners->push_back(array.owner);
  }
  return {std::move(arrays), std::move(owners)};
}

// Held by one process, and in it by one thread, at a time; the system frees it when they end.
class FileLock {
 public:
  // Waits for the lock; is_held() is false if the file system cannot give it. Throws RunFailure
  // when waiting has become hopeless (core/waiting.h).
  FileLock(const fs::path& path, const std::string& holder)
      : descriptor_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
    if (!descriptor_.valid() || !is_busy()) return;
    log::info("waiting for {}", holder);
    wait_for(holder, [this] { return !is_busy(); });
  }
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  bool is_held() const { return is_held_; }

 private:
  // Whether another process holds it; tries to take it.
  bool is_busy() {
    is_held_ = ::flock(descriptor_.get(), LOCK_EX | LOCK_NB) == 0;
    return !is_held_ && (errno == EWOULDBLOCK || errno == EINTR);
  }

  Descriptor descriptor_;
  bool is_held_ = false;
};

// The reader, and every file with its size and time of change: what makes an index stale.
std::string text_of(const IndexKey& key) {
  std::string text = fmt::format("{}\nlayout {}\n", key.reader, kLayout);
  for (const fs::path& file : key.files) {
    struct stat facts {};
    if (::stat(file.c_str(), &facts) != 0)
      throw UserError(fmt::format("cannot open '{}': {}", file.string(), std::strerror(errno)));
    text += fmt::format("{}\n{}\n{} bytes, changed {}.{:09}\n", file.string(),
                        fs::absolute(file).string(), facts.st_size, facts.st_mtim.tv_sec,
                        facts.st_mtim.tv_nsec);
  }
  return text;
}

std::string name_of(const IndexKey& key) {
  return key.files.size() == 1
             ? fmt::format("'{}'", key.files.front().string())
             : fmt::format("'{}' and {} more", key.files.front().string(), key.files.size() - 1);
}

}  // namespace

Index open_index(const IndexFolder& folder, const IndexKey& key,
                 const std::function<IndexContent()>& build) {
  VLLAMA_ASSERT(!key.files.empty(), "an index is of files");
  const std::string key_text = text_of(key);
  const auto build_unchanged = [&] {
    IndexContent content = build();
    if (text_of(key) != key_text)
      throw RunFailure(fmt::format("{} changed while it was indexed", name_of(key)));
    return content;
  };
  if (!folder.path()) return in_memory(build_unchanged());

  const std::string reader = key.reader.substr(0, key.reader.find(' '));
  const fs::path path = *folder.path() / fmt::format("{}-{:016x}.index", reader, fnv1a(key_text));
  std::string problem;
  if (auto found = read_index(path, key_text, problem)) return *std::move(found);
  const FileLock lock(path.string() + ".lock",
                      fmt::format("the process that indexes {}", name_of(key)));
  if (lock.is_held())
    if (auto found = read_index(path, key_text, problem)) return *std::move(found);
  if (!problem.empty())
    log::warn("the index '{}' cannot be used and is made again: {}", path.string(), problem);
  const IndexContent content = build_unchanged();
  if (!lock.is_held()) {
    log::warn("the index of {} stays in memory: '{}' cannot be locked", name_of(key),
              folder.path()->string());
    return in_memory(content);
  }
  try {
    write_index(path, content, key_text);
  } catch (const RunFailure& failure) {
    log::warn("the index of {} stays in memory: {}", name_of(key), failure.what());
    return in_memory(content);
  }
  log::info("indexed {} in '{}'", name_of(key), path.string());
  auto written = read_index(path, key_text, problem);
  return written ? *std::move(written) : in_memory(content);
}

}  // namespace vllama::datasets

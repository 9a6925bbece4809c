// Parses the end record, the central directory and the start of each local header of a zip file.
#include "weights/pth/zip_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "core/error.h"
#include "weights/pth/zip_format.h"
#include "weights/values/byte_order.h"
#include "weights/values/readable.h"

namespace vllama::weights {
namespace {

constexpr std::uint32_t kLocalSignature = 0x04034b50;
constexpr std::uint32_t kCentralSignature = 0x02014b50;
constexpr std::uint32_t kEndSignature = 0x06054b50;
constexpr std::uint32_t kEnd64Signature = 0x06064b50;
constexpr std::uint32_t kLocator64Signature = 0x07064b50;
constexpr std::size_t kCentralBytes = 46, kEndBytes = 22, kEnd64Bytes = 56, kLocator64Bytes = 20,
                      kMaxCommentBytes = 0xFFFF;
constexpr std::uint32_t kSaturated = 0xFFFFFFFF;
constexpr std::uint16_t kEncryptedFlag = 0x0001;

struct CentralDirectory {
  std::uint64_t offset, num_bytes, num_entries;
};

// One entry of the central directory, before its local header was looked at.
struct Entry {
  std::string name;
  std::uint64_t num_bytes, header_offset, content_offset;
};

class Parser {
 public:
  Parser(std::span<const std::byte> file, const std::string& name) : file_(file), name_(name) {}

  std::vector<ZipMember> members() const {
    const CentralDirectory directory = find_directory();
    std::vector<Entry> entries = read_entries(directory);
    for (Entry& entry : entries) locate_content(entry, directory.offset);
    check_overlap(entries);
    std::vector<ZipMember> members;
    members.reserve(entries.size());
    for (Entry& entry : entries)
      members.push_back({std::move(entry.name), entry.content_offset, entry.num_bytes});
    return members;
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw UserError(fmt::format("{}: damaged or unsupported zip container: {}", name_, what));
  }

  template <class T>
  T number(std::uint64_t offset) const {
    return read_number<T>(file_, offset);
  }

  bool has_room(std::uint64_t offset, std::uint64_t num_bytes) const {
    return offset <= file_.size() && num_bytes <= file_.size() - offset;
  }

  // The last place where an end record fits and reaches the end of the file with its comment.
  std::uint64_t find_end_record() const {
    if (file_.size() < kEndBytes) fail("the file is too short");
    const std::uint64_t last = file_.size() - kEndBytes;
    const std::uint64_t first = last > kMaxCommentBytes ? last - kMaxCommentBytes : 0;
    for (std::uint64_t at = last + 1; at-- > first;) {
      if (number<std::uint32_t>(at) == kEndSignature &&
          at + kEndBytes + number<std::uint16_t>(at + 20) == file_.size())
        return at;
    }
    fail("no end record; the file is probably cut off");
  }

  CentralDirectory find_directory() const {
    const std::uint64_t end = find_end_record();
    if (number<std::uint16_t>(end + 4) != 0 || number<std::uint16_t>(end + 6) != 0)
      if (number<std::uint16_t>(end + 4) != 0xFFFF) fail("it is split over several disks");
    CentralDirectory directory{number<std::uint32_t>(end + 16), number<std::uint32_t>(end + 12),
                               number<std::uint16_t>(end + 10)};
    std::uint64_t limit = end;
    const bool needs_zip64 = directory.offset == kSaturated || directory.num_bytes == kSaturated ||
                             directory.num_entries == 0xFFFF;
    if (needs_zip64 && end >= kLocator64Bytes &&
        number<std::uint32_t>(end - kLocator64Bytes) == kLocator64Signature) {
      limit = number<std::uint64_t>(end - kLocator64Bytes + 8);
      if (!has_room(limit, kEnd64Bytes) || limit + kEnd64Bytes > end - kLocator64Bytes ||
          number<std::uint32_t>(limit) != kEnd64Signature)
        fail("the zip64 end record is not where its locator says");
      directory = {number<std::uint64_t>(limit + 48), number<std::uint64_t>(limit + 40),
                   number<std::uint64_t>(limit + 32)};
    }
    if (directory.offset > limit || directory.num_bytes > limit - directory.offset)
      fail("the central directory reaches past its end record");
    if (directory.num_entries > directory.num_bytes / kCentralBytes)
      fail("the central directory is too short for its number of entries");
    return directory;
  }

  std::vector<Entry> read_entries(const CentralDirectory& directory) const {
    const std::uint64_t end = directory.offset + directory.num_bytes;
    std::vector<Entry> entries;
    entries.reserve(directory.num_entries);
    std::unordered_set<std::string> names;
    std::uint64_t at = directory.offset;
    for (std::uint64_t i = 0; i < directory.num_entries; ++i) {
      if (end - at < kCentralBytes || number<std::uint32_t>(at) != kCentralSignature)
        fail(fmt::format("entry {} of the central directory is damaged", i));
      const std::uint64_t name_bytes = number<std::uint16_t>(at + 28);
      const std::uint64_t extra_bytes = number<std::uint16_t>(at + 30);
      const std::uint64_t entry_bytes =
          kCentralBytes + name_bytes + extra_bytes + number<std::uint16_t>(at + 32);
      if (end - at < entry_bytes)
        fail(fmt::format("entry {} of the central directory is cut off", i));
      entries.push_back(read_entry(at, name_bytes, extra_bytes));
      if (!names.insert(entries.back().name).second)
        fail(fmt::format("member '{}' occurs twice", readable(entries.back().name)));
      at += entry_bytes;
    }
    return entries;
  }

  Entry read_entry(std::uint64_t at, std::uint64_t name_bytes, std::uint64_t extra_bytes) const {
    Entry entry{
        std::string(reinterpret_cast<const char*>(file_.data()) + at + kCentralBytes, name_bytes),
        number<std::uint32_t>(at + 24), number<std::uint32_t>(at + 42), 0};
    const std::string shown = readable(entry.name);
    if (number<std::uint16_t>(at + 8) & kEncryptedFlag)
      fail(fmt::format("member '{}' is encrypted", shown));
    if (const auto method = number<std::uint16_t>(at + 10); method != 0)
      fail(
          fmt::format("member '{}' is compressed (method {}); only stored members are read. Save "
                      "the file again with torch.save",
                      shown, method));
    std::uint64_t compressed = number<std::uint32_t>(at + 20);
    read_zip64_fields(entry, compressed, at + kCentralBytes + name_bytes, extra_bytes);
    if (compressed != entry.num_bytes)
      fail(fmt::format("member '{}' is stored but has two different sizes", shown));
    return entry;
  }

  // Replaces the saturated fields, which follow in the order size, compressed size, offset.
  void read_zip64_fields(Entry& entry, std::uint64_t& compressed, std::uint64_t extra,
                         std::uint64_t extra_bytes) const {
    const std::uint64_t end = extra + extra_bytes;
    while (end - extra >= 4) {
      const auto id = number<std::uint16_t>(extra);
      const std::uint64_t field_bytes = number<std::uint16_t>(extra + 2);
      if (field_bytes > end - extra - 4) fail("an extra field is cut off");
      std::uint64_t at = extra + 4;
      extra += 4 + field_bytes;
      if (id != kZip64ExtraId) continue;
      for (std::uint64_t* field : {&entry.num_bytes, &compressed, &entry.header_offset}) {
        if (*field != kSaturated) continue;
        if (extra - at < 8) fail("a zip64 field is cut off");
        *field = number<std::uint64_t>(at);
        at += 8;
      }
      return;
    }
  }

  void locate_content(Entry& entry, std::uint64_t limit) const {
    const std::string shown = readable(entry.name);
    const std::uint64_t header = entry.header_offset;
    if (header > limit || limit - header < kLocalHeaderBytes ||
        number<std::uint32_t>(header) != kLocalSignature)
      fail(fmt::format("the header of member '{}' is not where the directory says", shown));
    entry.content_offset = header + kLocalHeaderBytes + number<std::uint16_t>(header + 26) +
                           number<std::uint16_t>(header + 28);
    if (entry.content_offset > limit || entry.num_bytes > limit - entry.content_offset)
      fail(fmt::format("member '{}' reaches past the end of the data", shown));
  }

  void check_overlap(const std::vector<Entry>& entries) const {
    std::vector<const Entry*> order;
    for (const Entry& entry : entries) order.push_back(&entry);
    std::sort(order.begin(), order.end(), [](const Entry* left, const Entry* right) {
      return left->header_offset < right->header_offset;
    });
    for (std::size_t i = 1; i < order.size(); ++i)
      if (order[i - 1]->content_offset + order[i - 1]->num_bytes > order[i]->header_offset)
        fail(fmt::format("members '{}' and '{}' overlap", readable(order[i - 1]->name),
                         readable(order[i]->name)));
  }

  std::span<const std::byte> file_;
  const std::string& name_;
};

}  // namespace

std::vector<ZipMember> read_zip_directory(std::span<const std::byte> file,
                                          const std::string& file_name) {
  return Parser(file, file_name).members();
}

}  // namespace vllama::weights

#include "datasets/shards/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <string_view>

#include "core/error.h"
#include "core/text_encoding.h"
#include "media/error.h"

namespace vllama::datasets {
namespace {

constexpr std::int64_t kBufferBlocks = 16;
// Longer than any path, and short enough to be held: names and records of extension headers.
constexpr std::int64_t kMaxExtensionBytes = std::int64_t{1} << 20;

std::int64_t padded(std::int64_t num_bytes) {
  return (num_bytes + kTarBlockBytes - 1) / kTarBlockBytes * kTarBlockBytes;
}

TarKind kind_of(char type) {
  switch (type) {
    case '\0':
    case '0':
    case '7':  // contiguous on the disk
      return TarKind::file;
    case '1':
    case '2':
      return TarKind::link;
    case '3':
    case '4':
    case '6':
      return TarKind::special;
    case '5':
      return TarKind::folder;
    case 'S':
      return TarKind::sparse;
    default:
      return TarKind::unknown;
  }
}

// These have none, whatever their size field says (POSIX).
bool has_content(TarKind kind) {
  return kind == TarKind::file || kind == TarKind::sparse || kind == TarKind::unknown;
}

bool is_archive_header(const std::string& first_bytes) {
  TarHeader header;
  if (first_bytes.size() < sizeof(header)) return false;
  std::memcpy(&header, first_bytes.data(), sizeof(header));
  return header.is_zero() || header.has_right_checksum();
}

}  // namespace

TarReader::TarReader(const std::filesystem::path& archive) : path_(archive) {
  try {
    file_.emplace(archive);
  } catch (const media::MediaError& error) {
    throw UserError(fmt::format("the shard cannot be read: {}", error.what()));
  }
  const std::string first_bytes = file_->read_first(kFirstBytes);
  if (is_archive_header(first_bytes)) return;
  // Those that begin with their mark; a tar archive has it further on, and is damaged.
  const std::string kind = binary_kind(first_bytes.substr(0, 64), archive);
  if (!kind.empty())
    throw UserError(
        fmt::format("the shard '{}' is {}, and shards are tar archives that are not compressed: "
                    "unpack it, with "
                    "gunzip or the like, and name the .tar",
                    archive.string(), kind));
}

void TarReader::fail(const std::string& problem) const {
  throw UserError(fmt::format("the shard '{}' is cut or damaged: {} at byte {}; it has {} bytes",
                              path_.string(), problem, header_begin_, file_->size()));
}

void TarReader::read(std::span<char> target) {
  if (std::ssize(target) > file_->size() - position_) fail("it ends within the member");
  while (!target.empty()) {
    const std::int64_t in_buffer = position_ - buffer_begin_;
    if (in_buffer < 0 || in_buffer >= std::ssize(buffer_)) {
      buffer_.resize(kBufferBlocks * kTarBlockBytes);
      buffer_begin_ = position_;
      const std::int64_t num_read =
          file_->read_at(position_, std::as_writable_bytes(std::span(buffer_)));
      if (num_read == 0) fail("it became shorter while it was read");
      if (num_read < 0)
        fail(fmt::format("it cannot be read: {}", std::strerror(static_cast<int>(-num_read))));
      buffer_.resize(static_cast<std::size_t>(num_read));
      continue;
    }
    const std::size_t length =
        std::min(target.size(), buffer_.size() - static_cast<std::size_t>(in_buffer));
    std::memcpy(target.data(), buffer_.data() + in_buffer, length);
    target = target.subspan(length);
    position_ += static_cast<std::int64_t>(length);
  }
}

std::optional<TarHeader> TarReader::read_header() {
  header_begin_ = position_;
  if (position_ == file_->size()) fail("it has no end mark");
  TarHeader header;
  read({reinterpret_cast<char*>(&header), sizeof(header)});
  if (header.is_zero()) {
    // Two blocks of zeros end an archive; some writers leave it at one.
    if (position_ == file_->size()) return std::nullopt;
    read({reinterpret_cast<char*>(&header), sizeof(header)});
    if (!header.is_zero()) fail("there is half an end mark");
    return std::nullopt;
  }
  if (!header.has_right_checksum()) fail("there is no header");
  return header;
}

void TarReader::skip_content(std::int64_t num_bytes) {
  // Not padded(num_bytes), which might overflow.
  if (num_bytes > file_->size() - position_) fail("it ends within the member");
  position_ += padded(num_bytes);
}

void TarReader::skip_sparse_maps(const TarHeader& header) {
  std::array<char, kTarBlockBytes> map;
  constexpr std::size_t kGoesOnInHeader = 482, kGoesOnInMap = 504;
  bool goes_on = reinterpret_cast<const char*>(&header)[kGoesOnInHeader] != 0;
  while (goes_on) {
    read(map);
    goes_on = map[kGoesOnInMap] != 0;
  }
}

void TarReader::read_extension(const TarHeader& header, Extension& extension) {
  const auto num_bytes = header.content_bytes();
  if (!num_bytes) fail("the size of an extension header is no number");
  if (header.type == 'g' || header.type == 'K') return skip_content(*num_bytes);
  if (*num_bytes > kMaxExtensionBytes) fail("there is an absurdly long extension header");
  if (*num_bytes > file_->size() - position_) fail("it ends within the member");
  std::string content(static_cast<std::size_t>(*num_bytes), '\0');
  read(content);
  position_ += padded(*num_bytes) - *num_bytes;
  extension.is_there = true;
  if (header.type == 'x')
    read_pax_records(content, extension);
  else
    extension.name = content.substr(0, content.find('\0'));
}

// "27 path=some/name\n" and so on; a number is the length of its record.
void TarReader::read_pax_records(const std::string& records, Extension& extension) {
  for (std::string_view rest = records; !rest.empty();) {
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), length);
    const auto num_digits = static_cast<std::size_t>(end - rest.data());
    if (error != std::errc() || length > rest.size() || length < num_digits + 3 ||
        rest[num_digits] != ' ' || rest[length - 1] != '\n')
      fail("there is no pax record");
    const std::string_view record = rest.substr(num_digits + 1, length - num_digits - 2);
    const std::size_t equals = record.find('=');
    if (equals == std::string_view::npos) fail("there is no pax record");
    const std::string_view key = record.substr(0, equals), value = record.substr(equals + 1);
    if (key == "path" && !value.empty()) extension.name = value;
    if (key == "size") {
      std::int64_t size = -1;
      const auto result = std::from_chars(value.data(), value.data() + value.size(), size);
      if (result.ec != std::errc() || result.ptr != value.data() + value.size() || size < 0)
        fail("the size of a pax record is no number");
      extension.num_bytes = size;
    }
    extension.is_sparse |= key.starts_with("GNU.sparse.");
    rest.remove_prefix(length);
  }
}

std::optional<TarMember> TarReader::next() {
  Extension extension;
  while (const auto header = read_header()) {
    if (header->is_extension()) {
      read_extension(*header, extension);
      continue;
    }
    TarMember member{.name = extension.name.value_or(header->full_name()),
                     .kind = kind_of(header->type)};
    const auto num_bytes = extension.num_bytes ? extension.num_bytes : header->content_bytes();
    if (!num_bytes) fail("the size of the member is no number");
    if (member.kind == TarKind::sparse) skip_sparse_maps(*header);
    if (has_content(member.kind)) member.num_bytes = *num_bytes;
    if (member.kind == TarKind::file && extension.is_sparse) member.kind = TarKind::sparse;
    if (member.kind == TarKind::file && member.name.ends_with('/')) member.kind = TarKind::folder;
    member.offset_bytes = position_;
    skip_content(member.num_bytes);
    return member;
  }
  if (extension.is_there) fail("an extension header stands without its member");
  return std::nullopt;
}

}  // namespace vllama::datasets

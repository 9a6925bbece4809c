// Local headers, central directory and end records of a zip file.
#include "weights/pth/zip_writer.h"

#include "core/error.h"
#include "weights/pth/zip_format.h"
#include "weights/values/byte_order.h"
#include "weights/values/checksum.h"

namespace vllama::weights {
namespace {

constexpr std::uint16_t kPaddingExtraId = 0x4246;  // "FB", as PyTorch marks its padding
constexpr std::uint64_t kMax32 = 0xFFFFFFFF;
constexpr std::uint16_t kMax16 = 0xFFFF;
constexpr std::uint16_t kUtf8Names = 0x0800;
constexpr std::uint16_t kVersionPlain = 20, kVersionZip64 = 45;
constexpr std::uint32_t kNewYear1980 = 0x00210000;  // the earliest date, time zero

std::uint32_t saturated(std::uint64_t value) {
  return static_cast<std::uint32_t>(std::min(value, kMax32));
}

bool needs_zip64(std::uint64_t value) {
  return value >= kMax32;
}

// What local headers and directory entries have in common, from the flags to the sizes.
void append_facts(std::string& header, std::uint32_t checksum, std::uint64_t num_bytes,
                  const std::string& name, std::size_t extra_bytes) {
  append_number<std::uint16_t>(header, kUtf8Names);
  append_number<std::uint16_t>(header, 0);  // stored
  append_number<std::uint32_t>(header, kNewYear1980);
  append_number<std::uint32_t>(header, checksum);
  append_number<std::uint32_t>(header, saturated(num_bytes));
  append_number<std::uint32_t>(header, saturated(num_bytes));
  append_number<std::uint16_t>(header, static_cast<std::uint16_t>(name.size()));
  append_number<std::uint16_t>(header, static_cast<std::uint16_t>(extra_bytes));
}

void append_extra(std::string& extra, std::uint16_t id, const std::string& content) {
  append_number<std::uint16_t>(extra, id);
  append_number<std::uint16_t>(extra, static_cast<std::uint16_t>(content.size()));
  extra += content;
}

}  // namespace

void ZipWriter::add(const std::string& name, std::span<const std::byte> content) {
  VLLAMA_ASSERT(name.size() < kMax16, "the name of a member fits its header");
  const Member member{name, content.size(), file_.num_bytes(), crc32(content)};
  std::string extra;
  if (needs_zip64(member.num_bytes)) {
    std::string sizes;
    append_number<std::uint64_t>(sizes, member.num_bytes);
    append_number<std::uint64_t>(sizes, member.num_bytes);
    append_extra(extra, kZip64ExtraId, sizes);
  }
  constexpr std::uint64_t kExtraHeaderBytes = 4;
  const std::uint64_t unpadded =
      member.header_offset + kLocalHeaderBytes + name.size() + extra.size() + kExtraHeaderBytes;
  append_extra(extra, kPaddingExtraId,
               std::string((kAlignment - unpadded % kAlignment) % kAlignment, 'Z'));
  std::string header;
  append_number<std::uint32_t>(header, 0x04034b50);
  append_number<std::uint16_t>(header,
                               needs_zip64(member.num_bytes) ? kVersionZip64 : kVersionPlain);
  append_facts(header, member.checksum, member.num_bytes, name, extra.size());
  file_.append(header + name + extra);
  file_.append(content);
  members_.push_back(member);
}

void ZipWriter::append_entry(std::string& directory, const Member& member) const {
  std::string fields;
  if (needs_zip64(member.num_bytes)) {
    append_number<std::uint64_t>(fields, member.num_bytes);
    append_number<std::uint64_t>(fields, member.num_bytes);
  }
  if (needs_zip64(member.header_offset)) append_number<std::uint64_t>(fields, member.header_offset);
  std::string extra;
  if (!fields.empty()) append_extra(extra, kZip64ExtraId, fields);
  const std::uint16_t version = fields.empty() ? kVersionPlain : kVersionZip64;
  append_number<std::uint32_t>(directory, 0x02014b50);
  append_number<std::uint16_t>(directory, version);
  append_number<std::uint16_t>(directory, version);
  append_facts(directory, member.checksum, member.num_bytes, member.name, extra.size());
  append_number<std::uint16_t>(directory, 0);  // no comment
  append_number<std::uint16_t>(directory, 0);  // first disk
  append_number<std::uint16_t>(directory, 0);  // internal attributes
  append_number<std::uint32_t>(directory, 0);  // external attributes
  append_number<std::uint32_t>(directory, saturated(member.header_offset));
  directory += member.name + extra;
}

void ZipWriter::finish() {
  std::string directory;
  for (const Member& member : members_) append_entry(directory, member);
  const std::uint64_t offset = file_.num_bytes();
  const std::uint64_t num_bytes = directory.size(), count = members_.size();
  std::string end;
  if (needs_zip64(offset) || needs_zip64(num_bytes) || count >= kMax16) {
    append_number<std::uint32_t>(end, 0x06064b50);
    append_number<std::uint64_t>(end, 44);  // bytes of this record that follow
    append_number<std::uint16_t>(end, kVersionZip64);
    append_number<std::uint16_t>(end, kVersionZip64);
    append_number<std::uint64_t>(end, 0);  // disks
    append_number<std::uint64_t>(end, count);
    append_number<std::uint64_t>(end, count);
    append_number<std::uint64_t>(end, num_bytes);
    append_number<std::uint64_t>(end, offset);
    append_number<std::uint32_t>(end, 0x07064b50);
    append_number<std::uint32_t>(end, 0);
    append_number<std::uint64_t>(end, offset + num_bytes);
    append_number<std::uint32_t>(end, 1);
  }
  const auto short_count = static_cast<std::uint16_t>(std::min<std::uint64_t>(count, kMax16));
  append_number<std::uint32_t>(end, 0x06054b50);
  append_number<std::uint32_t>(end, 0);  // disks
  append_number<std::uint16_t>(end, short_count);
  append_number<std::uint16_t>(end, short_count);
  append_number<std::uint32_t>(end, saturated(num_bytes));
  append_number<std::uint32_t>(end, saturated(offset));
  append_number<std::uint16_t>(end, 0);
  file_.append(directory + end);
}

}  // namespace vllama::weights

#include "datasets/shards/tar_header.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

#include "core/error.h"

namespace vllama::datasets {
namespace {

template <std::size_t size>
std::string_view text_of(const std::array<char, size>& field) {
  return {field.data(), ::strnlen(field.data(), size)};
}

struct Sums {
  std::int64_t of_unsigned = 0, of_signed = 0;
};

// Of all bytes, those of the checksum itself counted as blanks.
Sums sums_of(const TarHeader& header) {
  TarHeader blanked = header;
  blanked.checksum.fill(' ');
  std::array<char, sizeof(TarHeader)> bytes;
  std::memcpy(bytes.data(), &blanked, sizeof(blanked));
  Sums sums;
  for (const char byte : bytes) {
    sums.of_unsigned += static_cast<unsigned char>(byte);
    sums.of_signed += static_cast<signed char>(byte);
  }
  return sums;
}

// Blanks, octal digits, and a blank or zero unless the field is full. No digit at all is 0.
std::optional<std::int64_t> octal_number(std::string_view field) {
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  std::int64_t value = 0;
  for (const char digit : field) {
    if (digit == ' ' || digit == '\0') break;
    if (digit < '0' || digit > '7') return std::nullopt;
    value = value * 8 + (digit - '0');  // 12 digits at most
  }
  return value;
}

// Big-endian behind a first byte of 0x80.
std::optional<std::int64_t> binary_number(std::string_view field) {
  constexpr std::size_t kNumberBytes = 8;
  const std::string_view high = field.substr(1, field.size() - 1 - kNumberBytes);
  const bool is_small = static_cast<unsigned char>(field[0]) == 0x80 &&
                        high.find_first_not_of('\0') == std::string_view::npos;
  std::uint64_t value = 0;
  for (const char byte : field.substr(field.size() - kNumberBytes))
    value = value << 8 | static_cast<unsigned char>(byte);
  if (!is_small || value > INT64_MAX) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

template <std::size_t size>
void put(std::array<char, size>& field, std::string_view text) {
  VLLAMA_ASSERT(text.size() <= size, "a field of a tar header is long enough");
  std::ranges::copy(text, field.begin());
}

}  // namespace

bool TarHeader::is_zero() const {
  static constexpr TarHeader kZero{};
  return std::memcmp(this, &kZero, sizeof(kZero)) == 0;
}

bool TarHeader::has_right_checksum() const {
  const auto written = octal_number({checksum.data(), checksum.size()});
  const Sums sums = sums_of(*this);
  return written && (*written == sums.of_unsigned || *written == sums.of_signed);
}

std::optional<std::int64_t> TarHeader::content_bytes() const {
  const std::string_view field(size.data(), size.size());
  return (static_cast<unsigned char>(field[0]) & 0x80) != 0 ? binary_number(field)
                                                            : octal_number(field);
}

std::string TarHeader::full_name() const {
  // GNU tar keeps other things in the place of the prefix, and writes another magic text.
  const bool is_posix = text_of(magic) == "ustar";
  if (!is_posix || text_of(prefix).empty()) return std::string(text_of(name));
  return fmt::format("{}/{}", text_of(prefix), text_of(name));
}

TarHeader file_header(const std::string& name, std::int64_t num_bytes) {
  constexpr std::int64_t kMostOctal = 077777777777;
  TarHeader header{};
  put(header.name, name);
  put(header.mode, "0000644");
  put(header.user, "0000000");
  put(header.group, "0000000");
  if (num_bytes <= kMostOctal) {
    put(header.size, fmt::format("{:011o}", num_bytes));
  } else {
    header.size[0] = static_cast<char>(0x80);
    for (std::size_t i = 0; i < 8; ++i)
      header.size[4 + i] = static_cast<char>(num_bytes >> (8 * (7 - i)));
  }
  put(header.time, "00000000000");
  header.type = '0';
  put(header.magic, std::string_view("ustar\0"
                                     "00",
                                     8));
  put(header.major_device, "0000000");
  put(header.minor_device, "0000000");
  put(header.checksum, fmt::format("{:06o}", sums_of(header).of_unsigned));
  header.checksum[7] = ' ';
  return header;
}

}  // namespace vllama::datasets

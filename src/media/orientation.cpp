#include "media/orientation.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>
#include <vector>

namespace vllama::media {
namespace {

using namespace std::string_view_literals;

// Numbers of a file, in either order of bytes; 0 behind the end.
class Numbers {
 public:
  Numbers(std::string_view bytes, bool is_little_endian)
      : bytes_(bytes), is_little_endian_(is_little_endian) {}

  std::uint32_t at(std::uint64_t position, std::size_t num_bytes) const {
    if (position > bytes_.size() || num_bytes > bytes_.size() - position) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < num_bytes; ++i) {
      const std::size_t place = is_little_endian_ ? num_bytes - 1 - i : i;
      value = value << 8 | static_cast<std::uint8_t>(bytes_[position + place]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
  bool is_little_endian_;
};

constexpr std::string_view kLittleEndianTiff = "II*\0"sv, kBigEndianTiff = "MM\0*"sv;
constexpr std::string_view kExifPrefix = "Exif\0\0"sv;

// Tag 274 of the first directory of a TIFF structure (TIFF 6.0, section 2), or 0.
std::uint32_t orientation_tag(std::string_view tiff) {
  constexpr std::uint32_t kOrientationTag = 274, kShort = 3;
  constexpr std::uint64_t kEntryBytes = 12;
  const bool is_little_endian = tiff.starts_with(kLittleEndianTiff);
  if (!is_little_endian && !tiff.starts_with(kBigEndianTiff)) return 0;
  const Numbers numbers(tiff, is_little_endian);
  const std::uint64_t directory = numbers.at(4, 4);
  const std::uint64_t num_entries = numbers.at(directory, 2);
  for (std::uint64_t i = 0; i < num_entries; ++i) {
    const std::uint64_t entry = directory + 2 + i * kEntryBytes;
    if (numbers.at(entry, 2) == kOrientationTag)
      return numbers.at(entry + 8, numbers.at(entry + 2, 2) == kShort ? 2 : 4);
  }
  return 0;
}

std::string_view without_prefix(std::string_view exif) {
  return exif.substr(exif.starts_with(kExifPrefix) ? kExifPrefix.size() : 0);
}

// The EXIF data among the segments before the picture (ITU-T T.81, annex B), or nothing.
std::string_view exif_of_jpeg(std::string_view bytes) {
  constexpr std::uint32_t kApp1 = 0xffe1, kStartOfScan = 0xffda;
  const Numbers numbers(bytes, false);
  for (std::uint64_t place = 2; place + 4 <= bytes.size();) {
    const std::uint32_t marker = numbers.at(place, 2);
    if (marker == 0xffff) {  // a fill byte
      ++place;
      continue;
    }
    const std::uint64_t length = numbers.at(place + 2, 2);
    if (marker < 0xff00 || marker == kStartOfScan || length < 2) break;
    const std::string_view content = bytes.substr(place + 4, length - 2);
    if (marker == kApp1 && content.starts_with(kExifPrefix)) return without_prefix(content);
    place += 2 + length;
  }
  return {};
}

std::string_view exif_of_png(std::string_view bytes) {
  const Numbers numbers(bytes, false);
  for (std::uint64_t place = 8; place + 8 <= bytes.size();) {
    const std::uint64_t length = numbers.at(place, 4);
    if (bytes.substr(place + 4, 4) == "eXIf") return bytes.substr(place + 8, length);
    place += 12 + length;
  }
  return {};
}

std::string_view exif_of_webp(std::string_view bytes) {
  const Numbers numbers(bytes, true);
  for (std::uint64_t place = 12; place + 8 <= bytes.size();) {
    const std::uint64_t length = numbers.at(place + 4, 4);
    if (bytes.substr(place, 4) == "EXIF") return without_prefix(bytes.substr(place + 8, length));
    place += 8 + length + length % 2;
  }
  return {};
}

std::string_view exif_of(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8"sv)) return exif_of_jpeg(bytes);
  if (bytes.starts_with("\x89PNG"sv)) return exif_of_png(bytes);
  if (bytes.starts_with("RIFF"sv)) return exif_of_webp(bytes);
  return {};
}

}  // namespace

Image upright(Image stored, Orientation orientation) {
  if (orientation == Orientation{}) return stored;
  FrameSize size{stored.width, stored.height};
  if (orientation.swaps_axes) std::swap(size.width, size.height);
  Image result{size.width, size.height, std::vector<std::uint8_t>(stored.rgb.size())};
  std::uint8_t* pixel = result.rgb.data();
  for (std::int64_t y = 0; y < size.height; ++y)
    for (std::int64_t x = 0; x < size.width; ++x, pixel += 3) {
      const Place from = stored_place(orientation, size, x, y);
      std::copy_n(stored.rgb.data() + (from.y * stored.width + from.x) * 3, 3, pixel);
    }
  return result;
}

Orientation exif_orientation(std::string_view bytes) {
  constexpr std::array<Orientation, 9> kOrientations = {{{},  // 0 is none
                                                         {},
                                                         {false, true, false},
                                                         {false, true, true},
                                                         {false, false, true},
                                                         {true, false, false},
                                                         {true, true, false},
                                                         {true, true, true},
                                                         {true, false, true}}};
  const std::uint32_t tag = orientation_tag(exif_of(bytes));
  return tag < kOrientations.size() ? kOrientations[tag] : Orientation{};
}

}  // namespace vllama::media

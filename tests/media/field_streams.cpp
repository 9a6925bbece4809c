#include "tests/media/field_streams.h"

#include <bit>
#include <cstdlib>

namespace vllama::test {
namespace {

constexpr int kBlocksWide = 4,
              kFieldBlocksHigh = 2;  // macroblocks of 16 x 16 in a field of 64 x 32

class Bits {
 public:
  void put(std::uint32_t value, int num_bits) {
    for (int i = num_bits - 1; i >= 0; --i) {
      if (num_free_ == 0) {
        bytes_ += '\0';
        num_free_ = 8;
      }
      --num_free_;
      bytes_.back() =
          static_cast<char>(bytes_.back() | static_cast<char>((value >> i & 1u) << num_free_));
    }
  }
  // Exponential Golomb code (ITU-T H.264, 9.1).
  void put_code(std::uint32_t value) {
    const int num_bits = std::bit_width(value + 1);
    put(0, num_bits - 1);
    put(value + 1, num_bits);
  }
  void align() { num_free_ = 0; }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  int num_free_ = 0;
};

// A unit of H.264 behind its start code, protected against further start codes.
std::string nal(std::uint8_t header, Bits payload) {
  payload.put(1, 1);
  std::string unit{'\0', '\0', '\0', '\1', static_cast<char>(header)};
  int num_zeros = 0;
  for (const char byte : payload.bytes()) {
    if (num_zeros >= 2 && static_cast<unsigned char>(byte) <= 3) {
      unit += '\3';
      num_zeros = 0;
    }
    num_zeros = byte == 0 ? num_zeros + 1 : 0;
    unit += byte;
  }
  return unit;
}

std::string h264_headers() {
  Bits sequence;
  sequence.put(77, 8);  // Main
  sequence.put(0, 8);
  sequence.put(30, 8);
  for (const std::uint32_t code : {0u, 0u, 0u, 4u, 1u}) sequence.put_code(code);
  sequence.put(0, 1);
  sequence.put_code(kBlocksWide - 1);
  sequence.put_code(kFieldBlocksHigh - 1);
  sequence.put(0b00100,
               5);  // fields, not mixed within a picture; 8x8 inference; uncropped, untimed
  Bits picture;
  for (int i = 0; i < 2; ++i) picture.put_code(0);
  picture.put(0, 2);
  for (int i = 0; i < 3; ++i) picture.put_code(0);
  picture.put(0, 3);
  for (int i = 0; i < 3; ++i) picture.put_code(0);
  picture.put(0, 3);
  return nal(0x67, sequence) + nal(0x68, picture);
}

std::string h264_field(std::size_t number, bool is_bottom, std::uint8_t luma) {
  const bool is_entry = number == 0 && !is_bottom, is_referred_to = number % 2 == 0;
  Bits slice;
  slice.put_code(0);
  slice.put_code(7);  // intra
  slice.put_code(0);
  slice.put(static_cast<std::uint32_t>((number + 1) / 2 % 16), 4);  // referred to so far
  slice.put(is_bottom ? 3 : 2, 2);
  if (is_entry) slice.put_code(0);
  slice.put(static_cast<std::uint32_t>((2 * number + (is_bottom ? 1 : 0)) % 256), 8);
  if (is_referred_to) slice.put(0, is_entry ? 2 : 1);
  slice.put_code(0);
  for (int i = 0; i < kBlocksWide * kFieldBlocksHigh; ++i) {
    slice.put_code(25);  // plain samples
    slice.align();
    for (int sample = 0; sample < 256; ++sample) slice.put(luma, 8);
    for (int sample = 0; sample < 128; ++sample) slice.put(128, 8);
  }
  return nal(is_entry ? 0x65 : is_referred_to ? 0x41 : 0x01, slice);
}

std::string mpeg2_unit(std::uint8_t code, const Bits& bits) {
  return std::string{'\0', '\0', '\1', static_cast<char>(code)} + bits.bytes();
}

std::string mpeg2_headers() {
  Bits sequence;
  sequence.put(kBlocksWide * 16, 12);
  sequence.put(kFieldBlocksHigh * 32, 12);
  sequence.put(0x13, 8);  // square samples, 25 pictures a second
  sequence.put(1000, 18);
  sequence.put(1, 1);
  sequence.put(100, 10);
  sequence.put(0, 3);
  Bits extension;
  extension.put(1, 4);
  extension.put(0x48, 8);  // Main profile, main level
  extension.put(0b001, 3);
  extension.put(0, 4);
  extension.put(0, 12);
  extension.put(1, 1);
  extension.put(0, 16);
  return mpeg2_unit(0xb3, sequence) + mpeg2_unit(0xb5, extension);
}

// The first block of a row has the difference to grey, all others none (table B.12).
void put_mean(Bits& bits, int difference) {
  constexpr std::uint32_t kCodes[] = {0b100, 0b00, 0b01, 0b101, 0b110, 0b1110, 0b11110, 0b111110};
  constexpr int kLengths[] = {3, 2, 2, 3, 3, 4, 5, 6};
  const int size = std::bit_width(static_cast<unsigned>(std::abs(difference)));
  bits.put(kCodes[size], kLengths[size]);
  bits.put(static_cast<std::uint32_t>(difference < 0 ? difference - 1 : difference), size);
  bits.put(0b10, 2);
}

std::string mpeg2_field(std::size_t number, bool is_bottom, std::uint8_t luma) {
  Bits picture;
  picture.put(static_cast<std::uint32_t>(number % 1024), 10);
  picture.put(1, 3);
  picture.put(0xffff, 16);
  picture.put(0, 1);
  Bits extension;
  extension.put(8, 4);
  extension.put(0xffff, 16);
  extension.put(0, 2);
  extension.put(is_bottom ? 2 : 1, 2);
  extension.put(0, 10);
  std::string field = mpeg2_unit(0x00, picture) + mpeg2_unit(0xb5, extension);
  for (int row = 0; row < kFieldBlocksHigh; ++row) {
    Bits slice;
    slice.put(1, 5);
    slice.put(0, 1);
    for (int column = 0; column < kBlocksWide; ++column) {
      slice.put(0b11, 2);
      for (int block = 0; block < 4; ++block)
        put_mean(slice, column == 0 && block == 0 ? luma - 128 : 0);
      for (int block = 0; block < 2; ++block) slice.put(0b0010, 4);
    }
    field += mpeg2_unit(static_cast<std::uint8_t>(row + 1), slice);
  }
  return field;
}

}  // namespace

std::string h264_fields(const std::vector<std::uint8_t>& lumas) {
  std::string stream = h264_headers();
  for (std::size_t i = 0; i < lumas.size(); ++i)
    for (const bool is_bottom : {false, true}) stream += h264_field(i, is_bottom, lumas[i]);
  return stream;
}

std::string mpeg2_fields(const std::vector<std::uint8_t>& lumas) {
  std::string stream;
  for (std::size_t i = 0; i < lumas.size(); ++i) {
    stream += mpeg2_headers();
    for (const bool is_bottom : {false, true}) stream += mpeg2_field(i, is_bottom, lumas[i]);
  }
  return stream;
}

}  // namespace vllama::test

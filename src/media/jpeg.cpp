#include "media/jpeg.h"

#include <fmt/format.h>

#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <vector>

// jpeglib.h needs the types of cstdio, so these come after the standard headers.
#include <jerror.h>
#include <jpeglib.h>

#include "media/error.h"

namespace vllama::media {
namespace {

constexpr std::int64_t kMaxJpegPixels = std::int64_t{1} << 27;
constexpr int kMaxScans = 500;  // each scan of a progressive file is a pass over the whole picture

// libjpeg reports errors through functions that must not return; they jump back to the reader.
struct JpegErrors {
  jpeg_error_mgr functions;
  jpeg_progress_mgr progress;
  std::jmp_buf reader;
  char text[JMSG_LENGTH_MAX];
};

JpegErrors& errors_of(j_common_ptr codec) {
  return *reinterpret_cast<JpegErrors*>(codec->err);
}

[[noreturn]] void stop(j_common_ptr codec) {
  codec->err->format_message(codec, errors_of(codec).text);
  std::longjmp(errors_of(codec).reader, 1);
}

// Warnings are survivable damage, except the one that the data have run out.
void on_message(j_common_ptr codec, int level) {
  if (level < 0 && codec->err->msg_code == JWRN_JPEG_EOF) stop(codec);
}

void on_progress(j_common_ptr codec) {
  if (reinterpret_cast<j_decompress_ptr>(codec)->input_scan_number <= kMaxScans) return;
  std::snprintf(errors_of(codec).text, JMSG_LENGTH_MAX, "more than %d scans", kMaxScans);
  std::longjmp(errors_of(codec).reader, 1);
}

// Rounded a * b / 255 for values up to 255.
unsigned scaled(unsigned a, unsigned b) {
  const unsigned product = a * b + 128;
  return ((product >> 8) + product) >> 8;
}

// One row of CMYK, stored as 255 minus ink, to RGB: what black leaves of white, less its share of
// the colour's own ink. The same arithmetic as Pillow's.
void cmyk_to_rgb(const std::uint8_t* cmyk, std::uint8_t* rgb, std::size_t width) {
  for (std::size_t x = 0; x < width; ++x)
    for (std::size_t c = 0; c < 3; ++c) {
      const unsigned white = cmyk[4 * x + 3];
      rgb[3 * x + c] = static_cast<std::uint8_t>(white - scaled(255u - cmyk[4 * x + c], white));
    }
}

struct Decompressor {
  ~Decompressor() { jpeg_destroy_decompress(&codec); }
  jpeg_decompress_struct codec{};
};

// Everything between the jump mark and the jumps: no object with a destructor lives in here.
// Returns false with the reason in `errors.text`.
bool decode(jpeg_decompress_struct& codec, JpegErrors& errors, std::span<const std::byte> bytes,
            Image& image, std::vector<std::uint8_t>& row) {
  if (setjmp(errors.reader) != 0) return false;
  jpeg_create_decompress(&codec);
  codec.progress = &errors.progress;
  jpeg_mem_src(&codec, reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size());
  jpeg_read_header(&codec, TRUE);
  if (std::int64_t{codec.image_width} * codec.image_height > kMaxJpegPixels) {
    std::snprintf(errors.text, sizeof(errors.text), "%u x %u pixels are too many",
                  codec.image_width, codec.image_height);
    return false;
  }
  const bool is_cmyk = codec.num_components == 4;
  codec.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
  codec.dct_method = JDCT_ISLOW;
  codec.do_fancy_upsampling = TRUE;
  jpeg_start_decompress(&codec);
  const std::size_t width = codec.output_width;
  image.width = codec.output_width;
  image.height = codec.output_height;
  image.rgb.resize(width * codec.output_height * 3);
  row.resize(is_cmyk ? width * 4 : 0);
  while (codec.output_scanline < codec.output_height) {
    std::uint8_t* rgb = image.rgb.data() + width * 3 * codec.output_scanline;
    JSAMPROW target = is_cmyk ? row.data() : rgb;
    jpeg_read_scanlines(&codec, &target, 1);
    if (is_cmyk) cmyk_to_rgb(row.data(), rgb, width);
  }
  return true;
}

}  // namespace

Image decode_jpeg(std::span<const std::byte> bytes, const std::string& name) {
  JpegErrors errors{};
  Decompressor decompressor;
  decompressor.codec.err = jpeg_std_error(&errors.functions);
  errors.functions.error_exit = &stop;
  errors.functions.emit_message = &on_message;
  errors.progress.progress_monitor = &on_progress;
  Image image;
  std::vector<std::uint8_t> row;
  if (!decode(decompressor.codec, errors, bytes, image, row))
    throw MediaError(MediaFailure::corrupt, fmt::format("'{}': {}", name, errors.text));
  return image;
}

}  // namespace vllama::media

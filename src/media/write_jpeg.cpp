#include "media/write_jpeg.h"

#include <cstdio>
#include <cstdlib>
#include <memory>

// jpeglib.h needs the types of cstdio, so it comes after the standard headers.
#include <jpeglib.h>

#include "core/error.h"

namespace vllama::media {
namespace {

struct Freed {
  void operator()(unsigned char* bytes) const { std::free(bytes); }
};

}  // namespace

std::string encode_jpeg(const Image& image, int quality) {
  VLLAMA_ASSERT(image.width > 0 && image.width <= JPEG_MAX_DIMENSION && image.height > 0 &&
                    image.height <= JPEG_MAX_DIMENSION,
                "a picture has 1 to 65,500 pixels on a side");
  jpeg_compress_struct codec{};
  jpeg_error_mgr errors{};
  codec.err = jpeg_std_error(&errors);
  jpeg_create_compress(&codec);
  unsigned char* bytes = nullptr;
  unsigned long num_bytes = 0;
  jpeg_mem_dest(&codec, &bytes, &num_bytes);
  codec.image_width = static_cast<JDIMENSION>(image.width);
  codec.image_height = static_cast<JDIMENSION>(image.height);
  codec.input_components = 3;
  codec.in_color_space = JCS_RGB;
  jpeg_set_defaults(&codec);
  jpeg_set_quality(&codec, quality, TRUE);
  jpeg_start_compress(&codec, TRUE);
  while (codec.next_scanline < codec.image_height) {
    const std::size_t row = codec.next_scanline * static_cast<std::size_t>(image.width) * 3;
    JSAMPROW pixels = const_cast<JSAMPROW>(image.rgb.data() + row);
    jpeg_write_scanlines(&codec, &pixels, 1);
  }
  jpeg_finish_compress(&codec);
  jpeg_destroy_compress(&codec);
  const std::unique_ptr<unsigned char, Freed> owner(bytes);
  return std::string(reinterpret_cast<const char*>(bytes), num_bytes);
}

}  // namespace vllama::media

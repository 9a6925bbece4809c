// Pictures of every format that is read.
#include "media/image.h"

#include "media/error.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "picture");
  const auto& path = file.write(Input(data, size).rest());
  answers<media::MediaError>([&] {
    const media::Image image = media::read_image(path);
    require(image.width > 0 && image.height > 0 &&
                image.rgb.size() == static_cast<std::size_t>(image.width * image.height) * 3,
            "a picture has its pixels");
  });
  return 0;
}

// The sound of any container.
#include <cmath>

#include "media/audio.h"
#include "media/error.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "sound");
  const auto& path = file.write(Input(data, size).rest());
  answers<media::MediaError>([&] {
    const media::Waveform sound =
        media::read_audio(path, {.time_limit_seconds = 5, .max_values = 1 << 22});
    for (const auto& channel : sound.channels)
      for (const float value : channel) require(std::isfinite(value), "samples are numbers");
  });
  return 0;
}

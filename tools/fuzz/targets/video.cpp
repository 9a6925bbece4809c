// Clips of any container: opening one, and eight of its frames.
#include "media/video.h"

#include "media/error.h"
#include "tools/fuzz/input.h"

using namespace vllama;
using namespace vllama::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static InputFile file(process_folder() / "clip");
  const auto& path = file.write(Input(data, size).rest());
  constexpr std::int64_t kNumFrames = 8;
  answers<media::MediaError>([&] {
    media::VideoOptions options;
    options.time_limit_seconds = 5;
    media::VideoReader reader(path, options);
    const media::VideoFacts& facts = reader.facts();
    require(facts.num_frames > 0 && facts.width > 0 && facts.height > 0, "a clip has frames");
    std::vector<std::int64_t> indices;
    for (std::int64_t i = 0; i < kNumFrames; ++i)
      indices.push_back(i * facts.num_frames / kNumFrames);
    const media::FrameSize size_of_frames{32, 24};
    for (const media::Image& image : reader.frames(indices, size_of_frames).images)
      require(image.rgb.size() == 32 * 24 * 3, "a frame has the size that was asked for");
  });
  return 0;
}

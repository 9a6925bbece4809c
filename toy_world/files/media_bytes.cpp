#include "toy_world/files/media_bytes.h"

#include <vector>

#include "media/write_jpeg.h"
#include "media/write_video.h"
#include "media/write_wav.h"
#include "toy_world/scene/drawing.h"
#include "toy_world/scene/sound.h"

namespace vllama::toy {
namespace {

constexpr int kJpegQuality = 95;

media::Image picture(const Scene& scene, double time, std::uint64_t frame) {
  return {kSide, kSide, draw_picture(scene, time, frame)};
}

}  // namespace

std::string clip_bytes(const Scene& scene, int num_seconds) {
  const int num_pictures = num_seconds * kPicturesPerSecond;
  std::vector<media::Image> pictures;
  for (int i = 0; i < num_pictures; ++i)
    pictures.push_back(picture(scene, (i + 0.5) / num_pictures, static_cast<std::uint64_t>(i)));
  const std::vector<float> sound = play(scene, 0, num_seconds, num_seconds);
  return media::encode_video(pictures, kPicturesPerSecond, {kSoundRate, sound});
}

std::string image_bytes(const Scene& scene, double time) {
  return media::encode_jpeg(picture(scene, time, 0), kJpegQuality);
}

std::string sound_bytes(const Scene& scene) {
  return media::encode_wav(play(scene), kSoundRate);
}

}  // namespace vllama::toy

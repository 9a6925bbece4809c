#include "toy_world/senses/clip_file.h"

#include <fmt/format.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <numeric>

#include "core/error.h"
#include "media/audio.h"
#include "media/video.h"
#include "media/write_video.h"
#include "toy_world/scene/sound.h"

namespace vllama::toy {
namespace {

constexpr int kPicturesPerSecond = 4;

// A name that nobody else uses; the file is removed at the end.
class TemporaryFile {
 public:
  TemporaryFile() {
    static std::atomic<int> count = 0;
    path_ = std::filesystem::temp_directory_path() /
            fmt::format("vllama_clip_{}_{}.mp4", getpid(), count++);
  }
  ~TemporaryFile() {
    std::error_code ignored;
    std::filesystem::remove(path_, ignored);
  }
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;

  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace

std::vector<std::vector<float>> sounds_through_clip(const std::vector<std::vector<float>>& sounds) {
  std::vector<float> joined;
  for (const std::vector<float>& sound : sounds)
    joined.insert(joined.end(), sound.begin(), sound.end());
  const std::size_t num_pixels = static_cast<std::size_t>(kSide) * kSide;
  const media::Image black{kSide, kSide, std::vector<std::uint8_t>(3 * num_pixels)};
  const TemporaryFile file;
  media::write_video({&black, 1}, kPicturesPerSecond, {kSoundRate, joined}, file.path());
  std::vector<float> heard = media::read_audio(file.path()).channels.at(0);
  VLLAMA_ASSERT(heard.size() >= joined.size(), "the decoder gives back all of the sound");

  std::vector<std::vector<float>> result;
  auto begin = heard.begin();
  for (const std::vector<float>& sound : sounds) {
    result.emplace_back(begin, begin + std::ssize(sound));
    begin += std::ssize(sound);
  }
  return result;
}

std::vector<std::vector<std::uint8_t>> pictures_through_clip(
    const std::vector<std::vector<std::uint8_t>>& pictures) {
  std::vector<media::Image> images;
  for (const auto& pixels : pictures) images.push_back({kSide, kSide, pixels});
  const TemporaryFile file;
  media::write_video(images, kPicturesPerSecond, {}, file.path());
  std::vector<std::int64_t> indices(images.size());
  std::iota(indices.begin(), indices.end(), 0);
  std::vector<std::vector<std::uint8_t>> result;
  for (media::Image& image : media::VideoReader(file.path()).frames(indices).images)
    result.push_back(std::move(image.rgb));
  return result;
}

}  // namespace vllama::toy

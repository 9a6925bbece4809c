#include "eval/evaluate/thumbnails.h"

#include <algorithm>
#include <set>

#include "core/in_threads.h"
#include "media/error.h"
#include "media/write_jpeg.h"
#include "samples/frame_sampler.h"
#include "samples/resize_image.h"

namespace vllama::eval {
namespace {

constexpr std::int64_t kWidth = 128;
constexpr std::int64_t kNumFrames = 3;
constexpr int kQuality = 75;

media::FrameSize small(std::int64_t width, std::int64_t height) {
  return {kWidth, std::clamp<std::int64_t>(kWidth * height / width, 1, 4 * kWidth)};
}

std::vector<std::string> pictures_of(const samples::MediaFile& medium,
                                     const media::VideoOptions& options) {
  if (medium.kind == MediaKind::image) {
    const media::Image image = media::read_image(medium.source);
    const media::FrameSize size = small(image.width, image.height);
    return {media::encode_jpeg(samples::resize_image(image, size.width, size.height), kQuality)};
  }
  media::VideoReader reader(medium.source, options);
  const media::VideoFacts& facts = reader.facts();
  std::vector<std::string> pictures;
  for (const media::Image& frame :
       reader
           .frames(samples::uniform_indices(kNumFrames, facts.num_frames),
                   small(facts.width, facts.height))
           .images)
    pictures.push_back(media::encode_jpeg(frame, kQuality));
  return pictures;
}

}  // namespace

std::map<std::string, std::vector<std::string>> thumbnails(const std::vector<Question>& questions,
                                                           std::int64_t max_media,
                                                           std::int64_t num_workers,
                                                           const media::VideoOptions& options) {
  std::vector<const Question*> shown;
  std::set<std::string> names;
  for (const Question& question : questions)
    if (question.medium && question.medium->kind != MediaKind::sound &&
        std::ssize(shown) < max_media && names.insert(question.expected.medium_name()).second)
      shown.push_back(&question);
  std::vector<std::vector<std::string>> pictures(shown.size());
  for_each_in_threads(std::ssize(shown), num_workers, [&](std::int64_t i) {
    const auto place = static_cast<std::size_t>(i);
    try {
      pictures[place] = pictures_of(*shown[place]->medium, options);
    } catch (const media::MediaError&) {  // its question has the reason as its status
    }
  });
  std::map<std::string, std::vector<std::string>> found;
  for (std::size_t i = 0; i < shown.size(); ++i)
    if (!pictures[i].empty()) found[shown[i]->expected.medium_name()] = std::move(pictures[i]);
  return found;
}

}  // namespace vllama::eval

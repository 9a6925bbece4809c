#include "datasets/example_builder.h"

#include <ATen/ops/empty.h>
#include <fmt/format.h>

#include <chrono>
#include <cstring>

#include "core/error.h"
#include "media/image.h"
#include "processors/crop.h"
#include "processors/frame_sampler.h"
#include "processors/resize_image.h"

namespace vllama::datasets {
namespace {

constexpr std::int64_t kChannels = 3;

// Adds the time of its life to a sum.
class Stopwatch {
 public:
  explicit Stopwatch(double& seconds) : seconds_(seconds) {}
  ~Stopwatch() {
    seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  double& seconds_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

at::Tensor empty_frames(std::int64_t num_frames, std::int64_t size) {
  return at::empty({num_frames, size, size, kChannels}, at::kByte);
}

std::span<std::uint8_t> frame_of(const at::Tensor& frames_FHWC, std::int64_t index) {
  const std::int64_t num_bytes = frames_FHWC.stride(0);
  return {frames_FHWC.mutable_data_ptr<std::uint8_t>() + index * num_bytes,
          static_cast<std::size_t>(num_bytes)};
}

void copy_frame(const media::Image& image, std::span<std::uint8_t> frame) {
  VLLAMA_ASSERT(image.rgb.size() == frame.size(), "a frame has the model's size");
  std::memcpy(frame.data(), image.rgb.data(), frame.size());
}

}  // namespace

StageSeconds& StageSeconds::operator+=(const StageSeconds& other) {
  decode += other.decode;
  pixels += other.pixels;
  text += other.text;
  return *this;
}

ExampleBuilder::ExampleBuilder(const DatasetConfig& dataset, const CaptionConfig& captions,
                               const media::VideoOptions& video, const ModelInput& model,
                               const text::Tokenizer& tokenizer)
    : dataset_(dataset), video_(video), model_(model), tokenizer_(tokenizer) {
  if (dataset.min_crop_scale > dataset.max_crop_scale)
    throw UserError(fmt::format("data set '{}': min_crop_scale {} is above max_crop_scale {}",
                                dataset.name, dataset.min_crop_scale, dataset.max_crop_scale));
  cleaner_.max_words = dataset.max_caption_words;
  layout_.num_media_tokens = model.num_media_tokens;
  layout_.end_sign = text::unescape_newlines(captions.end_sign);
  layout_.limit = {.max_tokens = captions.max_tokens,
                   .truncation = captions.truncation == "cut" ? text::Truncation::cut
                                                              : text::Truncation::keep_stop};
  if (!captions.prompt_file.empty())
    prompts_ = text::read_caption_prompts(captions.prompt_file,
                                          text::unescape_newlines(captions.prompt_template));
}

processors::Example ExampleBuilder::build(const Record& record, const PlannedSample& sample,
                                          StageSeconds& seconds) const {
  processors::Example example;
  example.id = record.id;
  example.dropout_key = sample.random(RandomPurpose::dropout).next();
  {
    const Stopwatch watch(seconds.text);
    add_caption(record, sample, example);
  }
  if (record.kind == MediaKind::video)
    add_video(record, sample, example, seconds);
  else
    add_image(record, sample, example, seconds);
  return example;
}

void ExampleBuilder::add_video(const Record& record, const PlannedSample& sample,
                               processors::Example& example, StageSeconds& seconds) const {
  const std::int64_t size = model_.image_size;
  media::DecodedFrames decoded;
  {
    const Stopwatch watch(seconds.decode);
    media::VideoReader reader(record.media, video_);
    RandomStream draws = sample.random(RandomPurpose::frames);
    const std::int64_t clip_length = reader.facts().num_frames;
    decoded =
        reader.frames(dataset_.sampling == "headtail"
                          ? processors::headtail_indices(dataset_.num_frames, clip_length, draws)
                          : processors::uniform_indices(dataset_.num_frames, clip_length),
                      media::FrameSize{size, size});
  }
  const Stopwatch watch(seconds.pixels);
  example.num_concealed_frames = decoded.num_concealed;
  const auto num_frames = static_cast<std::int64_t>(decoded.images.size());
  example.frames_FHWC = empty_frames(num_frames, size);
  if (dataset_.transform == "eval") {
    for (std::int64_t i = 0; i < num_frames; ++i)
      copy_frame(decoded.images[static_cast<std::size_t>(i)], frame_of(example.frames_FHWC, i));
    return;
  }
  RandomStream draws = sample.random(RandomPurpose::augmentation);
  const processors::CropBox box =
      processors::draw_crop(size, size, {dataset_.min_crop_scale, dataset_.max_crop_scale}, draws);
  for (std::int64_t i = 0; i < num_frames; ++i)
    processors::crop_and_resize_frame(decoded.images[static_cast<std::size_t>(i)].rgb, size, box,
                                      size, frame_of(example.frames_FHWC, i));
}

void ExampleBuilder::add_image(const Record& record, const PlannedSample& sample,
                               processors::Example& example, StageSeconds& seconds) const {
  media::Image image;
  {
    const Stopwatch watch(seconds.decode);
    image = media::read_image(record.media);
  }
  const Stopwatch watch(seconds.pixels);
  if (dataset_.transform == "train") {
    RandomStream draws = sample.random(RandomPurpose::augmentation);
    image = processors::crop_image(
        image, processors::draw_crop(image.height, image.width,
                                     {dataset_.min_crop_scale, dataset_.max_crop_scale}, draws));
  }
  example.frames_FHWC = empty_frames(1, model_.image_size);
  copy_frame(processors::resize_image(image, model_.image_size, model_.image_size),
             frame_of(example.frames_FHWC, 0));
}

void ExampleBuilder::add_caption(const Record& record, const PlannedSample& sample,
                                 processors::Example& example) const {
  const auto& turns = record.conversation.turns;
  VLLAMA_ASSERT(turns.size() == 1 && turns[0].question.empty(), "a caption is one answer");
  const std::string caption = dataset_.clean_captions ? cleaner_(turns[0].answer) : turns[0].answer;
  text::TokenSequence sequence;
  if (prompts_.empty()) {
    sequence = text::build_caption(tokenizer_, caption, layout_);
  } else {
    RandomStream draws = sample.random(RandomPurpose::prompt);
    sequence =
        text::build_caption(tokenizer_, caption, layout_, prompts_[draws.below(prompts_.size())]);
  }
  example.token_ids = std::move(sequence.ids);
  example.labels = std::move(sequence.labels);
  example.text_shortened = sequence.shortened;
}

}  // namespace vllama::datasets

#include "models/vision_branch.h"

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <fmt/format.h>

#include "core/error.h"
#include "nn/recompute.h"

namespace vllama::models {
namespace {

constexpr double kEncoderNormEpsilon = 1e-5;
// CLIP's pixel statistics, RGB.
const std::vector<double> kPixelMean{0.48145466, 0.4578275, 0.40821073};
const std::vector<double> kPixelDeviation{0.26862954, 0.26130258, 0.27577711};

}  // namespace

VisionBranch::VisionBranch(const VisionConfig& config, std::int64_t language_width)
    : config_(config),
      encoder_(config.encoder),
      encoder_norm_(config.encoder.width, kEncoderNormEpsilon),
      image_q_former_(config.image_q_former, config.encoder.width),
      frame_positions_({config.frame_positions, config.position_rows}, config.max_frame_positions,
                       config.image_q_former.width, "model.vision"),
      video_q_former_(config.video_q_former, config.image_q_former.width),
      projection_(config.video_q_former.width, language_width) {}

void VisionBranch::declare_encoder(nn::ParameterList& list) {
  encoder_.declare(list);
}

void VisionBranch::declare_image_q_former(nn::ParameterList& list) {
  image_q_former_.declare_queries(list, "query_tokens");
  encoder_norm_.declare(list, "ln_vision");
  image_q_former_.declare_layers(list, "Qformer.bert");
}

void VisionBranch::declare_trainable(nn::ParameterList& list) {
  video_q_former_.declare_queries(list, "video_query_tokens");
  const nn::Initial bound = nn::uniform_by_fan_in(projection_.inputs);
  projection_.declare(list, "llama_proj", bound, bound);
  frame_positions_.declare(list, "video_frame_position_embedding");
  video_q_former_.declare_layers(list, "video_Qformer.bert");
}

at::Tensor VisionBranch::normalize(const at::Tensor& frames_FHWC, at::ScalarType dtype) {
  const auto options = frames_FHWC.options().dtype(at::kFloat);
  const at::Tensor mean_C = at::tensor(kPixelMean, options);
  const at::Tensor deviation_C = at::tensor(kPixelDeviation, options);
  const at::Tensor values = frames_FHWC.to(at::kFloat).div(255.0).sub(mean_C).div(deviation_C);
  return values.permute({0, 3, 1, 2}).contiguous().to(dtype);
}

at::Tensor VisionBranch::encode_frames(const at::Tensor& images_FCHW) const {
  std::vector<at::Tensor> parts;
  for (const at::Tensor& images : images_FCHW.split(config_.frames_at_once)) {
    const auto frames = nn::Segments::equal(images.size(0), config_.encoder.num_tokens());
    const auto read = [this, frames](const at::Tensor& tokens_RE) {
      return image_q_former_(tokens_RE, frames);
    };
    parts.push_back(nn::recompute_in_backward(read, frozen_tokens(images)));
  }
  return at::cat(parts);
}

at::Tensor VisionBranch::frozen_tokens(const at::Tensor& images_NCHW) const {
  const at::AutoGradMode no_graph(false);
  return encoder_norm_(encoder_(images_NCHW)).flatten(0, 1);
}

at::Tensor VisionBranch::embed_clips(const at::Tensor& frame_queries,
                                     const std::vector<std::int64_t>& frames_per_sample,
                                     const nn::Dropout& dropout) const {
  const std::int64_t queries_per_frame = config_.image_q_former.num_queries;
  std::vector<std::int64_t> rows_per_sample;
  for (const std::int64_t num_frames : frames_per_sample) {
    if (num_frames > frame_positions_.most_rows())
      throw UserError(
          fmt::format("a clip of {} frames does not fit model.vision.max_frame_positions = {}; "
                      "model.vision.frame_positions: interpolated takes clips of any length",
                      num_frames, std::int64_t{config_.max_frame_positions}));
    rows_per_sample.push_back(num_frames * queries_per_frame);
  }
  const at::Tensor placed_FPD =
      frame_queries.to(at::kFloat).view({-1, queries_per_frame, config_.image_q_former.width}) +
      frame_positions_(frames_per_sample).unsqueeze(1);
  return projection_(
      video_q_former_(placed_FPD.flatten(0, 1), nn::Segments(rows_per_sample), dropout));
}

}  // namespace vllama::models

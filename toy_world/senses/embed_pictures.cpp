#include "toy_world/senses/embed_pictures.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "encoders/clip_pictures.h"
#include "toy_world/senses/picture_labels.h"

namespace vllama::toy {
namespace {

constexpr std::int64_t kPicturesAtOnce = 128;

}  // namespace

at::Tensor as_encoders_read(const at::Tensor& frames_NHWC) {
  return encoders::normalized(frames_NHWC, encoders::clip_pictures(frames_NHWC.size(1)),
                              at::kFloat);
}

at::Tensor embed_pictures(const encoders::ImageBindVision& encoder,
                          const std::vector<Picture>& pictures) {
  const at::AutoGradMode no_graph(false);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : frames(pictures).split(kPicturesAtOnce))
    parts.push_back(encoder(as_encoders_read(part)));
  return at::cat(parts);
}

}  // namespace vllama::toy

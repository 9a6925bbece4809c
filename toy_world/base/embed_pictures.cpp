#include "toy_world/base/embed_pictures.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "models/vision_branch.h"
#include "toy_world/base/picture_labels.h"

namespace vllama::toy {
namespace {

constexpr std::int64_t kPicturesAtOnce = 128;

}  // namespace

at::Tensor embed_pictures(const encoders::ImageBindVision& encoder,
                          const std::vector<Picture>& pictures) {
  const at::AutoGradMode no_graph(false);
  std::vector<at::Tensor> parts;
  for (const at::Tensor& part : frames(pictures).split(kPicturesAtOnce))
    parts.push_back(encoder(models::VisionBranch::normalize(part, at::kFloat)));
  return at::cat(parts);
}

}  // namespace vllama::toy

#include "encoders/clip_pictures.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/tensor.h>

namespace vllama::encoders {

samples::PictureInput clip_pictures(std::int64_t side) {
  return {.side = side,
          .mean = {0.48145466, 0.4578275, 0.40821073},
          .deviation = {0.26862954, 0.26130258, 0.27577711}};
}

at::Tensor normalized(const at::Tensor& frames_FHWC, const samples::PictureInput& input,
                      at::ScalarType dtype) {
  const auto options = frames_FHWC.options().dtype(at::kFloat);
  const at::Tensor mean_C = at::tensor(at::ArrayRef<double>(input.mean), options);
  const at::Tensor deviation_C = at::tensor(at::ArrayRef<double>(input.deviation), options);
  const at::Tensor values = frames_FHWC.to(at::kFloat).div(255.0).sub(mean_C).div(deviation_C);
  return values.permute({0, 3, 1, 2}).contiguous().to(dtype);
}

}  // namespace vllama::encoders

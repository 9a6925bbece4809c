#include "nn/norm.h"

#include <ATen/ops/layer_norm.h>
#include <ATen/ops/rms_norm.h>

namespace vllama::nn {

void LayerNorm::declare(ParameterList& list, const std::string& prefix) {
  list.push_back({prefix + ".weight", {width}, &weight_W, kOnes});
  list.push_back({prefix + ".bias", {width}, &bias_W, kZeros});
}

at::Tensor LayerNorm::operator()(const at::Tensor& values) const {
  return at::layer_norm(values, {width}, in_type_of(weight_W, values), in_type_of(bias_W, values),
                        epsilon);
}

void RmsNorm::declare(ParameterList& list, const std::string& prefix) {
  list.push_back({prefix + ".weight", {width}, &weight_W, kOnes});
}

at::Tensor RmsNorm::operator()(const at::Tensor& values) const {
  return at::rms_norm(values, {width}, in_type_of(weight_W, values), epsilon);
}

}  // namespace vllama::nn

// Shapes in messages.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/util/StringUtil.h>

#include <string>

namespace vllama::nn {

// "[2, 3, 224, 224]"
inline std::string shape_text(const at::Tensor& tensor) {
  return c10::str(tensor.sizes());
}

}  // namespace vllama::nn

#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

namespace vllama::test {

inline std::map<std::string, at::Tensor> copy_of(const std::map<std::string, at::Tensor>& tensors) {
  std::map<std::string, at::Tensor> copies;
  for (const auto& [name, tensor] : tensors) copies.emplace(name, tensor.clone());
  return copies;
}

}  // namespace vllama::test

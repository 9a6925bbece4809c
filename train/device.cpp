#include "train/device.h"

#include <ATen/Context.h>

#include "core/error.h"

namespace vllama::train {

at::Device chosen_device(const std::string& name) {
  const bool has_gpu = at::globalContext().hasCUDA();
  if (name == "cuda" && !has_gpu)
    throw UserError("device: cuda was asked for, but this build or machine has no GPU; use cpu");
  return name == "cpu" || !has_gpu ? at::Device(at::kCPU) : at::Device(at::kCUDA, 0);
}

}  // namespace vllama::train

// Where a benchmark computes.
#pragma once

#include <ATen/Context.h>
#include <c10/core/Device.h>

#include <string>

#include "core/error.h"

namespace vllama::tools {

// The first GPU for "cuda", and for "auto" if there is one. Throws UserError for "cuda" without
// one.
inline at::Device bench_device(const std::string& name) {
  const bool has_gpu = at::globalContext().hasCUDA();
  if (name == "cuda" && !has_gpu)
    throw UserError("--device cuda: this build or machine has no GPU; use cpu");
  return name == "cpu" || !has_gpu ? at::Device(at::kCPU) : at::Device(at::kCUDA, 0);
}

}  // namespace vllama::tools

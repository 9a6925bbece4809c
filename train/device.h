// Where a run computes.
#pragma once

#include <c10/core/Device.h>

#include <string>

namespace vllama::train {

// The device of a configuration's `device`: auto, cpu or cuda. Throws UserError if there is no GPU
// where one was asked for.
at::Device chosen_device(const std::string& name);

}  // namespace vllama::train

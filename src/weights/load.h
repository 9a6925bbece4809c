// Fills the parameters of a model from a weight file, strictly.
#pragma once

#include <functional>
#include <span>

#include "weights/tensor_source.h"

namespace vllama::weights {

// A place in a model that waits for the tensor of this name and shape.
struct ParameterSlot {
  std::string name;
  std::vector<std::int64_t> shape;
  at::Tensor* tensor;  // assigned, never written through
};

struct LoadRules {
  at::ScalarType dtype = at::kFloat;  // of the loaded tensors, whatever the file holds
  at::Device device = at::kCPU;
  // Tensors that will be written (trained) are always copied. Others may view the read-only mapping
  // of the file where type and device already agree: a write to such a tensor ends the process.
  bool writable = false;
  // Names in the file that no slot asks for and that are no mistake; none when empty.
  std::function<bool(const std::string&)> is_ignorable = nullptr;
  // Tensors of which a model may use some rows only: numbers there that are not finite are warned
  // of; anywhere else they are an error.
  std::function<bool(const std::string&)> is_partly_used = nullptr;
  // Called after each slot is filled, before the next one is: may take the tensor away.
  std::function<void(const ParameterSlot&)> after_each = nullptr;
};

struct LoadSummary {
  std::int64_t num_loaded = 0, num_ignored = 0;
  std::int64_t num_bytes = 0;  // of the loaded tensors
};

// Assigns every slot a tensor of its shape. Holds no more memory than the loaded tensors and a few
// megabytes. Throws one UserError that names the missing, unexpected and misshapen tensors (with
// both shapes) and those that do not hold floating-point numbers where `dtype` does, the first so
// many of each kind; in that case no slot was changed. Throws UserError after reading that names
// the tensors with numbers that are not finite.
LoadSummary load_parameters(const TensorSource& source, std::span<const ParameterSlot> slots,
                            const LoadRules& rules);

// The message that load_parameters would throw, or an empty text if it would load; no tensor is
// read.
std::string mismatches(const TensorSource& source, std::span<const ParameterSlot> slots,
                       const LoadRules& rules);

}  // namespace vllama::weights

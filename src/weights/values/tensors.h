// The bridge between tensor views of files and tensors of libtorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>

#include "weights/values/value.h"

namespace vllama::weights {

using NamedTensors = std::map<std::string, at::Tensor>;

at::ScalarType scalar_type(ElementType type);
// Throws UserError for types that no weight file has (complex, quantised).
ElementType element_type(at::ScalarType type);

// A contiguous CPU tensor of the view's values. Where the view is contiguous and aligned it lies in
// the view's own memory, which it keeps alive: a tensor over a mapped file must not be written
// (the mapping is read-only, a write ends the process).
at::Tensor to_tensor(const TensorView& view);

// The values of a tensor as they are written to files: contiguous, in CPU memory, copied only if
// they are not so already.
TensorView to_view(const at::Tensor& tensor);

}  // namespace vllama::weights

// Turns a value into a pickle of protocol 2.
#pragma once

#include <string>
#include <vector>

#include "weights/values/value.h"

namespace vllama::weights {

struct PickledValue {
  std::string pickle;
  // One per tensor, in the order of their storage keys "0", "1", ...
  std::vector<const TensorView*> tensors;
};

// Refers to `OrderedDict`, `_rebuild_tensor_v2` and storage classes only; every tensor gets a
// contiguous storage of its own. The result points into `value`. Throws UserError for an Opaque
// value and for more than 64 levels.
PickledValue write_pickle(const Value& value);

}  // namespace vllama::weights

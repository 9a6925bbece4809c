// The names a pickle in a weight file may refer to. Nothing is ever imported or called: each name
// has one fixed meaning in our own code.
#pragma once

#include <optional>
#include <string_view>

#include "weights/values/value.h"

namespace vllama::weights {

enum class GlobalKind {
  ordered_dict,
  rebuild_tensor,     // torch._utils _rebuild_tensor
  rebuild_tensor_v2,  // torch._utils _rebuild_tensor_v2
  rebuild_parameter,
  parameter,
  storage,  // a storage class: names an element type
  size,
  device,
  data_type,  // torch.float32 and the like: kept by name, not interpreted
};

struct Global {
  GlobalKind kind;
  ElementType element_type = ElementType::float32;  // of a storage class
};

// The meaning of `module` `name`, or nothing when a weight file may not refer to it.
std::optional<Global> allowed_global(std::string_view module, std::string_view name);

}  // namespace vllama::weights

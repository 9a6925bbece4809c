// What the shapes of a weight file tell about the model in it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "weights/tensor_source.h"

namespace vllama::weights {

class TensorShapes {
 public:
  explicit TensorShapes(const TensorSource& source);

  bool holds(const std::string& name) const { return shapes_.contains(name); }
  // Extent number `dimension` of a tensor; nothing if it is not there or has fewer.
  std::optional<std::int64_t> extent(const std::string& name, std::size_t dimension) const;
  // How many N there are, from 0 on, so that a name begins with "<prefix>N.".
  std::int64_t count_numbered(const std::string& prefix) const;
  // Whether any name begins with this.
  bool holds_any(const std::string& prefix) const;

 private:
  std::map<std::string, std::vector<std::int64_t>> shapes_;
};

}  // namespace vllama::weights

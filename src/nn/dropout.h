// Dropout whose masks belong to samples: the mask of a sample does not depend on which others share
// its batch, on the rank, or on the device.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <vector>

namespace vllama::nn {

class Dropout {
 public:
  // Gives the 0/1 mask for `num_segments` samples from `first_segment` on, at the `site`-th place
  // of the network where dropout is applied: shape [num_segments, elements_per_segment].
  using MaskSource =
      std::function<at::Tensor(std::int64_t site, std::int64_t first_segment,
                               std::int64_t num_segments, std::int64_t elements_per_segment)>;

  // Changes nothing.
  Dropout() = default;

  // Drops with probability `rate`; sample i draws from the stream named by `keys[i]`.
  Dropout(double rate, const std::vector<std::uint64_t>& keys, at::Device device);
  Dropout(double rate, MaskSource masks) : rate_(rate), masks_(std::move(masks)) {}

  bool active() const { return rate_ > 0; }

  // Starts the next place where dropout is applied.
  void next_site() { ++site_; }

  // Zeroes elements and divides the others by 1 - rate. The leading dimension of `values` divides
  // evenly into `num_segments` samples, the first of which is `first_segment`.
  at::Tensor operator()(const at::Tensor& values, std::int64_t first_segment,
                        std::int64_t num_segments) const;

 private:
  double rate_ = 0;
  MaskSource masks_;
  std::int64_t site_ = -1;
};

}  // namespace vllama::nn

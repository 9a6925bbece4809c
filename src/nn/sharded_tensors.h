// Tensors that several processes hold together: each keeps one part of their memory, and all parts
// come together when they are used.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace vllama::nn {

// The processes that share tensors, whatever connects them. All of them make the same calls in the
// same order.
class PartExchange {
 public:
  virtual ~PartExchange() = default;

  virtual std::int64_t num_parts() const = 0;
  virtual std::int64_t own_part() const = 0;

  // Begins to bring the part of every process, elements [part * P, (part + 1) * P) of `whole`
  // [num_parts * P], to all others. Until finish() nobody touches it. `what` names it in messages.
  virtual void start(at::Tensor& whole, const std::string& what) = 0;
  virtual void finish() = 0;
};

// Tensors of one type end to end in one buffer, which is cut into equal parts.
class ShardedTensors {
 public:
  ShardedTensors(std::vector<std::vector<std::int64_t>> shapes, const PartExchange& processes,
                 const at::TensorOptions& options);

  // Keeps this process's part of tensor `index`; `values` have its shape, and may be on any device.
  void keep_part(std::size_t index, const at::Tensor& values);

  // Memory for all of them with this process's part in its place, for PartExchange::start.
  at::Tensor buffer() const;
  // The tensors in such a buffer, once it is filled.
  std::vector<at::Tensor> views(const at::Tensor& buffer) const;

 private:
  std::vector<std::vector<std::int64_t>> shapes_;
  std::vector<std::int64_t> offsets_;  // of the tensors in the buffer
  std::int64_t num_parts_, own_part_;
  at::Tensor part_;
};

}  // namespace vllama::nn

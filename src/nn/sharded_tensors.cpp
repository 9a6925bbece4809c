#include "nn/sharded_tensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/accumulate.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/error.h"
#include "nn/shape_text.h"

namespace vllama::nn {
namespace {

// Every tensor begins where memory of its own might: kernels may choose their way by that.
constexpr std::int64_t kAlignment = 64;

std::int64_t rounded_up(std::int64_t number, std::int64_t multiple) {
  return (number + multiple - 1) / multiple * multiple;
}

}  // namespace

ShardedTensors::ShardedTensors(std::vector<std::vector<std::int64_t>> shapes,
                               const PartExchange& processes, const at::TensorOptions& options)
    : shapes_(std::move(shapes)),
      num_parts_(processes.num_parts()),
      own_part_(processes.own_part()) {
  std::int64_t end = 0;
  for (const auto& shape : shapes_) {
    offsets_.push_back(end);
    end = rounded_up(end + c10::multiply_integers(shape), kAlignment);
  }
  part_ = at::zeros({rounded_up(end, num_parts_) / num_parts_}, options);
}

void ShardedTensors::keep_part(std::size_t index, const at::Tensor& values) {
  VLLAMA_ASSERT(values.sizes() == at::IntArrayRef(shapes_[index]),
                fmt::format("tensor {} has the shape {}, not {}", index,
                            c10::str(at::IntArrayRef(shapes_[index])), shape_text(values)));
  const std::int64_t offset = offsets_[index], part_begin = own_part_ * part_.numel();
  const std::int64_t begin = std::max(offset, part_begin);
  const std::int64_t end = std::min(offset + values.numel(), part_begin + part_.numel());
  if (begin >= end) return;
  part_.slice(0, begin - part_begin, end - part_begin)
      .copy_(values.reshape(-1).slice(0, begin - offset, end - offset));
}

at::Tensor ShardedTensors::buffer() const {
  const at::Tensor whole = at::empty({num_parts_ * part_.numel()}, part_.options());
  whole.narrow(0, own_part_ * part_.numel(), part_.numel()).copy_(part_);
  return whole;
}

std::vector<at::Tensor> ShardedTensors::views(const at::Tensor& buffer) const {
  std::vector<at::Tensor> tensors;
  for (std::size_t i = 0; i < shapes_.size(); ++i)
    tensors.push_back(
        buffer.narrow(0, offsets_[i], c10::multiply_integers(shapes_[i])).view(shapes_[i]));
  return tensors;
}

}  // namespace vllama::nn

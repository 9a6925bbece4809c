#include "nn/dropout.h"

#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>

#include <bit>
#include <cmath>

#include "core/random.h"

namespace vllama::nn {
namespace {

std::int64_t as_signed(std::uint64_t bits) {
  return std::bit_cast<std::int64_t>(bits);
}

at::Tensor xor_shifted(const at::Tensor& bits, int shift) {
  const auto kept = as_signed(~std::uint64_t{0} >> shift);
  return bits.bitwise_xor(bits.__rshift__(shift).bitwise_and(kept));
}

// The finaliser of SplitMix64 on int64 tensors, whose products wrap.
at::Tensor mixed(at::Tensor bits) {
  bits = xor_shifted(bits, 30).mul(as_signed(0xbf58476d1ce4e5b9));
  bits = xor_shifted(bits, 27).mul(as_signed(0x94d049bb133111eb));
  return xor_shifted(bits, 31);
}

at::Tensor hashed_mask(double rate, const at::Tensor& keys_N, std::int64_t site,
                       std::int64_t elements) {
  const at::Tensor site_keys_N1 =
      mixed(keys_N + as_signed(random_key({static_cast<std::uint64_t>(site)}))).unsqueeze(1);
  const at::Tensor indices_E = at::arange(elements, keys_N.options());
  const at::Tensor bits_NE =
      mixed(site_keys_N1 + indices_E.mul(as_signed(0x9e3779b97f4a7c15)).unsqueeze(0));
  const auto threshold = static_cast<std::int64_t>(std::llround(rate * 0x1p31));
  return bits_NE.bitwise_and(0x7fffffff).ge(threshold);
}

}  // namespace

Dropout::Dropout(double rate, const std::vector<std::uint64_t>& keys, at::Device device)
    : rate_(rate) {
  std::vector<std::int64_t> signed_keys;
  for (const std::uint64_t key : keys) signed_keys.push_back(as_signed(key));
  const at::Tensor keys_N = at::tensor(signed_keys, at::kLong).to(device);
  masks_ = [rate, keys_N](std::int64_t site, std::int64_t first, std::int64_t count,
                          std::int64_t elements) {
    return hashed_mask(rate, keys_N.narrow(0, first, count), site, elements);
  };
}

at::Tensor Dropout::operator()(const at::Tensor& values, std::int64_t first_segment,
                               std::int64_t num_segments) const {
  if (!active()) return values;
  const at::Tensor mask = masks_(site_, first_segment, num_segments, values.numel() / num_segments);
  return values * mask.view(values.sizes()).to(values.scalar_type()).mul(1.0 / (1.0 - rate_));
}

}  // namespace vllama::nn

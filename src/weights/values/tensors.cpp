// Makes libtorch tensors over views, and views over libtorch tensors.
#include "weights/values/tensors.h"

#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/ne.h>
#include <fmt/format.h>

#include <array>

#include "core/error.h"

namespace vllama::weights {
namespace {

// In the order of ElementType.
constexpr std::array<at::ScalarType, 10> kScalarTypes = {
    at::kDouble, at::kFloat, at::kHalf, at::kBFloat16, at::kLong,
    at::kInt,    at::kShort, at::kChar, at::kByte,     at::kBool};

at::Tensor strided_tensor(const TensorView& view, at::ScalarType type) {
  // libtorch takes a pointer to mutable memory; the contract of to_tensor forbids writing.
  auto* data = const_cast<std::byte*>(view.bytes.data());
  return at::for_blob(data, view.shape)
      .strides(view.strides)
      .deleter([owner = view.owner](void*) {})
      .options(at::TensorOptions().dtype(type))
      .make_tensor();
}

// The bytes of a view in newly allocated, aligned memory; row-major.
at::Tensor copied_elements(const TensorView& view, at::ScalarType type) {
  std::vector<std::byte> aligned;
  const auto address = reinterpret_cast<std::uintptr_t>(view.bytes.data());
  if (address % static_cast<std::uintptr_t>(facts_of(view.type).num_bytes) == 0)
    return strided_tensor(view, type).clone(at::MemoryFormat::Contiguous);
  aligned.assign(view.bytes.begin(), view.bytes.end());
  TensorView moved = view;
  moved.bytes = aligned;
  return strided_tensor(moved, type).clone(at::MemoryFormat::Contiguous);
}

}  // namespace

at::ScalarType scalar_type(ElementType type) {
  return kScalarTypes[static_cast<std::size_t>(type)];
}

ElementType element_type(at::ScalarType type) {
  for (std::size_t i = 0; i < kScalarTypes.size(); ++i)
    if (kScalarTypes[i] == type) return static_cast<ElementType>(i);
  throw UserError(fmt::format("tensors of type {} cannot be stored", c10::toString(type)));
}

at::Tensor to_tensor(const TensorView& view) {
  const at::ScalarType type = scalar_type(view.type);
  if (view.num_elements() == 0) return at::empty(view.shape, at::TensorOptions().dtype(type));
  // A file may hold any byte where C++ allows only 0 and 1.
  if (view.type == ElementType::boolean) return strided_tensor(view, at::kByte).contiguous().ne(0);
  const auto address = reinterpret_cast<std::uintptr_t>(view.bytes.data());
  const bool is_aligned = address % static_cast<std::uintptr_t>(facts_of(view.type).num_bytes) == 0;
  return view.is_contiguous() && is_aligned ? strided_tensor(view, type)
                                            : copied_elements(view, type);
}

TensorView to_view(const at::Tensor& tensor) {
  auto owner = std::make_shared<at::Tensor>(tensor.detach().to(at::kCPU).contiguous());
  TensorView view{element_type(tensor.scalar_type()),
                  owner->sizes().vec(),
                  contiguous_strides(owner->sizes()),
                  {},
                  owner};
  view.bytes = {static_cast<const std::byte*>(owner->const_data_ptr()),
                static_cast<std::size_t>(view.num_bytes())};
  return view;
}

}  // namespace vllama::weights

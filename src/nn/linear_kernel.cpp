#include "nn/linear_kernel.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/linear.h>
#include <torch/csrc/autograd/custom_function.h>

namespace vllama::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// libtorch's entry to oneDNN's inner product, which has no C++ declaration: X W^T + B, then an
// elementwise function ("none" here). X and W may be transposed views.
using InnerProduct = at::Tensor(const at::Tensor&, const at::Tensor&,
                                const std::optional<at::Tensor>&, std::string_view,
                                c10::List<std::optional<at::Scalar>>,
                                std::optional<std::string_view>);

// Nothing when libtorch was built without oneDNN.
std::optional<c10::TypedOperatorHandle<InnerProduct>> find_inner_product() {
  const auto found = c10::Dispatcher::singleton().findSchema({"mkldnn::_linear_pointwise", ""});
  if (!found) return std::nullopt;
  return found->typed<InnerProduct>();
}

const auto& inner_product() {
  static const auto found = find_inner_product();
  return found;
}

at::Tensor product(const at::Tensor& values, const at::Tensor& weight,
                   const std::optional<at::Tensor>& bias = {}) {
  static const c10::List<std::optional<at::Scalar>> no_scalars;
  return inner_product()->call(values, weight, bias, "none", no_scalars, "");
}

struct OneDnnLinear : torch::autograd::Function<OneDnnLinear> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& values_RI,
                            const at::Tensor& weight_OI, const std::optional<at::Tensor>& bias_O) {
    const bool trains = weight_OI.requires_grad();
    context->save_for_backward({weight_OI, trains ? values_RI : at::Tensor()});
    context->saved_data["biased"] = bias_O.has_value();
    return product(values_RI, weight_OI, bias_O);
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const at::Tensor& gradient_RO = gradients[0];
    const auto saved = context->get_saved_variables();
    variable_list results(3);
    if (context->needs_input_grad(0)) results[0] = product(gradient_RO, saved[0].t());
    if (context->needs_input_grad(1)) results[1] = product(gradient_RO.t(), saved[1].t());
    if (context->saved_data["biased"].toBool() && context->needs_input_grad(2))
      results[2] = gradient_RO.sum(0);
    return results;
  }
};

}  // namespace

at::Tensor linear_product(const at::Tensor& values_RI, const at::Tensor& weight_OI,
                          const std::optional<at::Tensor>& bias_O) {
  const bool fits = values_RI.is_cpu() && values_RI.scalar_type() == at::kFloat &&
                    weight_OI.scalar_type() == at::kFloat && values_RI.dim() == 2;
  if (fits && inner_product()) return OneDnnLinear::apply(values_RI, weight_OI, bias_O);
  return at::linear(values_RI, weight_OI, bias_O);
}

}  // namespace vllama::nn

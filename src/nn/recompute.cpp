#include "nn/recompute.h"

#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace vllama::nn {
namespace {

using Layer = std::function<at::Tensor(const at::Tensor&)>;

// What a layer gave for its input, where that is known; inside a struct, autograd leaves it alone.
struct Result {
  std::optional<at::Tensor> known;
};

// Lets a function travel from the forward to the backward pass.
struct HeldLayer : torch::CustomClassHolder {
  explicit HeldLayer(Layer layer) : function(std::move(layer)) {}
  Layer function;
};

struct Recompute : torch::autograd::Function<Recompute> {
  // Autograd calls backward if `input` or `trigger` needs a gradient; the latter never gets one.
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& input,
                            const at::Tensor& /*trigger*/, const Layer& layer,
                            const Result& result) {
    context->save_for_backward({input});
    context->saved_data["layer"] = c10::IValue::make_capsule(c10::make_intrusive<HeldLayer>(layer));
    return result.known ? *result.known : layer(input);
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::AutoGradMode with_graph(true);
    const auto held = context->saved_data["layer"].toCapsule();
    const at::Tensor input =
        context->get_saved_variables()[0].detach().requires_grad_(context->needs_input_grad(0));
    const at::Tensor output = static_cast<HeldLayer&>(*held).function(input);
    torch::autograd::backward({output}, {gradients[0]});
    return {input.grad(), at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

}  // namespace

at::Tensor recompute_in_backward(const Layer& function, const at::Tensor& input) {
  const at::Tensor trigger = at::empty({0}, input.options().requires_grad(false));
  if (input.requires_grad() || !at::GradMode::is_enabled())
    return Recompute::apply(input, trigger, function, Result{});
  // Whether parameters train shows in the result.
  const at::Tensor result = function(input);
  if (!result.requires_grad()) return result;
  return Recompute::apply(input, trigger.requires_grad_(true), function, Result{result.detach()});
}

}  // namespace vllama::nn
